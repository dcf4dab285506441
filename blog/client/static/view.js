/** The posts as cards. Cards are changed in place, and only where they differ. */

const list = document.querySelector("#posts");
const empty = document.querySelector("#empty");
const news = document.querySelector("#news");
const cards = new Map(Array.from(list.querySelectorAll(".post"), (card) => [card.dataset.id, card]));

/** Show exactly these posts, given oldest first: query sends them when the page connects and when query is replayed. */
export function showAll(posts) {
  steady(() => {
    const known = new Set(posts.map((post) => post.id));
    for (const card of cards.values()) {
      if (!known.has(card.dataset.id)) drop(card);
    }
    let place = list.firstElementChild;
    for (const post of posts.toReversed()) {
      const card = cards.get(post.id) ?? newCard(post.id);
      delete card.dataset.unconfirmed;
      fill(card, post);
      dropCommentsFrom(card, post.comments.length);
      if (card === place) place = card.nextElementSibling;
      else list.insertBefore(card, place);
    }
  });
}

/** Show a post that is new or has changed. */
export function showPost(post) {
  steady(() => {
    const card = cards.get(post.id) ?? arriving(newCard(post.id));
    fill(card, post, arriving);
    if (!card.isConnected || "unconfirmed" in card.dataset) list.prepend(card);
    delete card.dataset.unconfirmed;
  });
}

/** Show the post that was just written here at the top, until query sends its place. */
export function showOwnPost(post) {
  if (!cards.has(post.id)) {
    showPost({ ...post, comments: [] });
    cards.get(post.id).dataset.unconfirmed = "";
  }
  say("Your post is here.");
}

/** Show the comment that was just written here. Query may have sent the comment already, and its verdict, too. */
export function showOwnComment(postId, comment) {
  const card = cards.get(postId);
  if (!card) return; // query is being replayed: it will send the post with this comment
  const comments = card.querySelector(".comments");
  const item = itemsOf(comments).get(comment.id) ?? arriving(newItem(comment));
  if (!item.isConnected) comments.append(item);
  count(card);
  item.dataset.own = "";
  say(item.textContent);
}

function newCard(id) {
  const card = document.querySelector("#new-post").content.firstElementChild.cloneNode(true);
  const error = card.querySelector(".error");
  card.dataset.id = id;
  error.id = `error-${id}`;
  card.querySelector("input").setAttribute("aria-describedby", error.id);
  cards.set(id, card);
  return card;
}

function fill(card, post, welcome = (item) => item) {
  setText(card.querySelector("h3"), post.title);
  card.querySelector("input").setAttribute("aria-label", `New Comment on ${post.title}`);
  card.querySelector("button").setAttribute("aria-label", `Submit a comment on ${post.title}`);
  const comments = card.querySelector(".comments");
  const items = itemsOf(comments);
  post.comments.forEach((comment, index) => {
    const item = items.get(comment.id) ?? welcome(newItem(comment));
    fillItem(item, comment);
    if (comments.children[index] !== item) comments.insertBefore(item, comments.children[index] ?? null);
  });
  count(card);
}

function newItem(comment) {
  const item = document.querySelector("#new-comment").content.firstElementChild.cloneNode(true);
  item.dataset.id = comment.id;
  fillItem(item, comment);
  return item;
}

function fillItem(item, { status, content }) {
  const decided = item.dataset.status !== status;
  item.dataset.status = status;
  setText(item, status === "approved" ? content : (list.dataset[status] ?? list.dataset.pending));
  // Announce only the verdicts on the comments of this page: a class writes many comments.
  if (decided && "own" in item.dataset) say(`Your comment is ${status}.`);
}

// A post or comment that arrives live fades in; a whole page of posts does not.
function arriving(element) {
  element.classList.add("arriving");
  return element;
}

const itemsOf = (comments) => new Map(Array.from(comments.children, (item) => [item.dataset.id, item]));

function count(card) {
  const comments = card.querySelectorAll(".comments > li").length;
  setText(card.querySelector(".count"), `${comments || "No"} ${comments === 1 ? "comment" : "comments"}`);
}

// Query does not know this post, or not yet. The card stays if it holds a text that has not been sent.
function drop(card) {
  if (card.querySelector("input").value.trim()) {
    card.dataset.unconfirmed = "";
    dropCommentsFrom(card, 0);
  } else {
    card.remove();
    cards.delete(card.dataset.id);
  }
}

function dropCommentsFrom(card, length) {
  const comments = card.querySelector(".comments");
  while (comments.children.length > length) comments.lastElementChild.remove();
  count(card);
}

// Change the page, but keep the focus and the place on the screen of the field that a writer is typing in.
function steady(change) {
  const typing = list.contains(document.activeElement) ? document.activeElement : null;
  const top = typing?.getBoundingClientRect().top;
  change();
  empty.hidden = cards.size > 0;
  if (!typing) return;
  if (typing !== document.activeElement) typing.focus({ preventScroll: true });
  const seen = top > 0 && top < innerHeight;
  if (seen) scrollBy({ top: typing.getBoundingClientRect().top - top, behavior: "instant" });
}

// Setting the same text again would remove a reader's selection.
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function say(text) {
  news.textContent = text;
}

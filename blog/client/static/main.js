/** Wire the page: forms to the services, query's stream to the cards and the banner. */

import { createComment, createPost, services } from "./api.js";
import * as banner from "./banner.js";
import { submit } from "./forms.js";
import { follow } from "./live.js";
import * as view from "./view.js";

// One listener for all forms, because cards are added and removed.
document.addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  if (form.id === "create-post") post(form);
  else comment(form, form.closest(".post").dataset.id);
});

async function post(form) {
  const written = await submit(form, createPost);
  if (written) view.showOwnPost(written);
}

async function comment(form, postId) {
  const typed = form.elements.content.value.trim();
  const comments = await submit(form, (content) => createComment(postId, content));
  // The answer has all comments of the post, also those that other writers have added meanwhile.
  if (comments) view.showOwnComment(postId, comments.findLast(({ content }) => content === typed) ?? comments.at(-1));
}

follow(`${services.query}/posts/stream`, {
  all: view.showAll,
  one: view.showPost,
  status: banner.showStatus,
  open: banner.queryBack,
  broken: banner.queryAway,
});

/** Follow query's stream: everything there is, then each change, for as long as the page is open. */

const RECONNECT = 1_000; // milliseconds
const SETTLE = 250; // milliseconds

/**
 * Follow the stream at this address, and come back whenever it breaks.
 *
 * `on` has `all(posts)` and `one(post)`, posts in the order of the log; `status(status)`; `open()` and `broken()`.
 */
export function follow(url, on) {
  let replaying = null; // what query has told of since it started over, by id
  let settling;

  const source = new EventSource(url);
  source.addEventListener("open", on.open);
  source.addEventListener("status", (event) => on.status(JSON.parse(event.data)));

  // A query that starts over sends next to nothing first and the rest within moments: show it when
  // it is there, so that nobody sees the page blink.
  source.addEventListener("posts", (event) => {
    if (!replaying) settling = setTimeout(settle, SETTLE);
    replaying = new Map(JSON.parse(event.data).map((post) => [post.id, post]));
  });
  source.addEventListener("post", (event) => {
    const post = JSON.parse(event.data);
    if (replaying) replaying.set(post.id, post);
    else on.one(post);
  });
  const settle = () => {
    on.all([...replaying.values()]);
    replaying = null;
  };

  // EventSource gives up for good on some failures and comes back from others: do both ourselves.
  source.addEventListener("error", () => {
    source.close();
    clearTimeout(settling);
    on.broken();
    setTimeout(follow, RECONNECT, url, on);
  });
}

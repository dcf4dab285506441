/** Follow query's stream: all posts, then each change, as long as the page is open. */

const RECONNECT = 1_000; // milliseconds
const SETTLE = 250; // milliseconds

/**
 * Follow the stream at this address, and reconnect whenever it breaks.
 *
 * `on` has `all(posts)` and `one(post)`, posts in the order of the log; `status(status)`; `open()` and `broken()`.
 */
export function follow(url, on) {
  let replaying = null; // id → post, as sent since query was replayed
  let settling;

  const source = new EventSource(url);
  source.addEventListener("open", on.open);
  source.addEventListener("status", (event) => on.status(JSON.parse(event.data)));

  // A query that is replayed sends few posts first, and the rest within moments. The page waits for
  // the rest, and so does not flicker.
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

  // EventSource reconnects after some failures only. This module reconnects after all of them.
  source.addEventListener("error", () => {
    source.close();
    clearTimeout(settling);
    on.broken();
    setTimeout(follow, RECONNECT, url, on);
  });
}

/** The bus's stream of all that the whiteboard draws. It reconnects whenever the connection breaks. */

const RECONNECT = 1_000; // milliseconds
const SETTLE = 500; // milliseconds, for the messages about what happened before the page opened

const KINDS = ["subscribers", "events", "deliveries"];

/**
 * Follow the stream.
 *
 * `on` has `open()`, `message(kind, data)` and `broken(unauthorized)`. The first messages tell what happened before
 * the page opened; the kind `live` follows them.
 */
export function follow(on) {
  const source = new EventSource("/whiteboard");
  let settled;
  source.addEventListener("open", () => {
    on.open();
    settled = setTimeout(on.message, SETTLE, "live");
  });
  for (const kind of KINDS) {
    source.addEventListener(kind, (message) => on.message(kind, JSON.parse(message.data)));
  }
  source.addEventListener("error", async () => {
    source.close();
    clearTimeout(settled);
    // An EventSource does not tell why it broke: the bus may be away, or it may require its token.
    const unauthorized = await fetch("/subscribers").then(
      (reply) => reply.status === 401,
      () => false,
    );
    on.broken(unauthorized);
    if (!unauthorized) setTimeout(follow, RECONNECT, on);
  });
}

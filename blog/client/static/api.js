/** The services' addresses, and the requests that create posts and comments. */

const onOwnPort = (port) => `http://${location.hostname}:${port}`;

// On port 3000, as on a laptop, every service has its own port. Elsewhere an ingress serves all of them
// from this page's origin.
export const services =
  location.port === "3000"
    ? { posts: onOwnPort(4000), comments: onOwnPort(4001), query: onOwnPort(4002) }
    : { posts: location.origin, comments: location.origin, query: location.origin };

const PATIENCE = 15_000; // milliseconds: a service retries for some seconds while the event bus does not answer

/** A service rejects a text, or does not answer; the message is for the writer. `invalid`: the text is at fault. */
export class Refusal extends Error {
  constructor(message, invalid = false) {
    super(message);
    this.invalid = invalid;
  }
}

/** Create a post; return it as `{id, title}`. Throws `Refusal`. */
export const createPost = (title) => write("posts", "/posts/create", { title });

/** Comment on a post; return all its comments. Throws `Refusal`. */
export const createComment = (postId, content) =>
  write("comments", `/posts/${encodeURIComponent(postId)}/comments`, { content });

async function write(service, path, body) {
  let response, answer;
  try {
    response = await fetch(services[service] + path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(PATIENCE),
    });
    answer = await response.json();
  } catch (problem) {
    throw new Refusal(explain(service, problem));
  }
  if (response.ok) return answer;
  const errors = answer.errors ?? [{ message: explain(service) }];
  throw new Refusal(
    errors.map((error) => error.message).join(" "),
    errors.some((error) => error.field),
  );
}

// There is no answer, or one in HTML: an ingress sends its own page while it does not reach the service.
function explain(service, problem) {
  return problem?.name === "TimeoutError"
    ? `The ${service} service does not answer. It may have stored your text: check before you send it again.`
    : `The ${service} service is away. Your text is still here; try again in a moment.`;
}

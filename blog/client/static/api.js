/** Where the services are, and how to write to them. */

const onOwnPort = (port) => `http://${location.hostname}:${port}`;

// On port 3000 every service has a port of its own, as on a laptop; anywhere else an ingress puts
// them all behind this page's origin.
export const services =
  location.port === "3000"
    ? { posts: onOwnPort(4000), comments: onOwnPort(4001), query: onOwnPort(4002) }
    : { posts: location.origin, comments: location.origin, query: location.origin };

const PATIENCE = 15_000; // milliseconds: a service itself tries for some seconds to reach the event bus

/** A service's no, or its silence, in words for the person who wrote. `invalid`: the text is at fault. */
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

// No answer, or one that is not the service's own: an ingress whose service is gone speaks HTML.
function explain(service, problem) {
  return problem?.name === "TimeoutError"
    ? `The ${service} service does not answer. It may have your text all the same: look before you send it again.`
    : `The ${service} service is away. Your text is still here; try again in a moment.`;
}

/** The bus over HTTP: JSON in and out, and errors in the bus's own words. A 401 opens the question for the token. */

/** An error reply of the bus. `status` is 0 where the bus does not answer. */
export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

let askForToken = () => {};

/** Set what asks the person at this page for the token, once the bus requires one. */
export function whenTokenIsNeeded(ask) {
  askForToken = ask;
}

/** Send a request; return the reply's JSON as `data`, and the address of a `next` page or null. Throws `Refused`. */
export async function ask(path, { method = "GET", body } = {}) {
  let reply;
  try {
    reply = await fetch(path, {
      method,
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Refused(0, "The event bus does not answer.");
  }
  if (reply.status === 401 && path !== "/session") askForToken();
  if (!reply.ok) throw new Refused(reply.status, await messageOf(reply));
  const next = /<([^>]+)>; rel="next"/.exec(reply.headers.get("Link") ?? "");
  return { data: reply.status === 204 ? null : await reply.json(), next: next?.[1] ?? null };
}

async function messageOf(reply) {
  try {
    return (await reply.json()).errors[0].message;
  } catch {
    return `The event bus answers with status ${reply.status}.`;
  }
}

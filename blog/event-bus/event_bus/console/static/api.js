/** The bus over HTTP: JSON in and out, errors as the bus words them, a person asked for the token where it needs one. */

export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

let askForToken = () => {};

/** Say who asks the person for the token when the bus wants one. */
export function whenTokenIsNeeded(ask) {
  askForToken = ask;
}

/** Ask the bus; return its JSON, and the address of the next page where it names one. Throws `Refused`. */
export async function ask(path, { method = "GET", body, signal } = {}) {
  let answer;
  try {
    answer = await fetch(path, {
      method,
      signal,
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused(0, "The event bus does not answer.");
  }
  if (answer.status === 401 && path !== "/session") askForToken();
  if (!answer.ok) throw new Refused(answer.status, await messageOf(answer));
  const next = /<([^>]+)>; rel="next"/.exec(answer.headers.get("Link") ?? "");
  return { data: answer.status === 204 ? null : await answer.json(), next: next?.[1] ?? null };
}

async function messageOf(answer) {
  try {
    return (await answer.json()).errors[0].message;
  } catch {
    return `The bus answered ${answer.status}.`;
  }
}

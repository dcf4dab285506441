/** Replay live: the real service goes back and steps, and the whole class sees it. Always with a way to put it back. */

import { ask, Refused } from "./api.js";
import { confirm } from "./dialogs.js";
import { find } from "./dom.js";
import { change, chosen, view } from "./view.js";

let moving = false;
let wanted = null; // where to go next
let goal = null; // where it is going

/** Where the service will be when it has done what was asked: the next step counts from there. */
export const destination = () => wanted ?? goal ?? view.at;

/** Who is held: the one that was sent back here, or, in a story, all. They move together. */
export const held = () => view.subscribers.filter((subscriber) => subscriber.paused);

/** Show a refusal of the bus, or take it away. */
export function trouble(words) {
  const line = find("#trouble");
  line.textContent = words ?? "";
  line.hidden = !words;
}

/** Ask the bus for something about this subscriber; note what it answers, or say why it refuses, and return null. */
async function tell({ name }, method, where, body) {
  try {
    const { data } = await ask(`/subscribers/${encodeURIComponent(name)}${where}`, { method, body });
    trouble(null);
    // The stream says so, too, but a moment later.
    const { position, paused, state } = { ...view.subscribers.find((one) => one.name === name), ...data };
    change({ subscribers: view.subscribers.map((one) => (one.name === name ? { ...one, position, paused, state } : one)) });
    return data;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    trouble(error.message);
    return null;
  }
}

/** Ask, then send the service back and let the transport step it. */
export async function begin() {
  const service = chosen();
  if (!service) return;
  const { name, paused, position } = service;
  const yes = await confirm(
    `Replay ${name} live?`,
    `${name} forgets everything and is replayed step by step, and everybody who has the blog open sees it. ` +
      `The log is not touched, nothing is lost, and “Put everything back” brings ${name} to the end again.`,
    paused ? `Go on from #${position}, where it is held` : "Send it back to the beginning",
  );
  if (!yes) return;
  const sent = paused || ((await tell(service, "PATCH", "", { paused: true })) && (await tell(service, "POST", "/rewind", { to: 0 })));
  if (sent) change({ replaying: true, following: false, skip: [], at: paused ? position : 0 });
}

/** Let everybody go on to the head, and follow again. */
export async function putBack() {
  const answers = await Promise.all(held().map((service) => tell(service, "PATCH", "", { paused: false })));
  if (!answers.includes(null)) change({ replaying: false, following: true });
}

/** Move who is held to this position: forwards by steps, backwards by a replay up to there. */
export async function replayTo(at) {
  wanted = at;
  if (moving) return;
  moving = true;
  try {
    while (wanted !== null) {
      goal = wanted;
      wanted = null;
      const answers = await Promise.all(held().map((service) => move(service, goal)));
      if (answers.includes(null)) return;
      change({ at: chosen()?.position ?? goal, following: false });
    }
  } finally {
    moving = false;
    goal = wanted = null;
  }
}

function move(service, to) {
  if (service.position === to) return service;
  const count = to - service.position;
  return count > 0 ? tell(service, "POST", "/step", { count }) : tell(service, "POST", "/rewind", { to });
}

/** The bus told how the service is: somebody else may have let it go, or moved it. */
export function notice() {
  const service = chosen();
  if (!view.replaying || !service || moving) return;
  if (!service.paused) change({ replaying: false, following: true });
  else if (service.position !== view.at) change({ at: service.position });
}

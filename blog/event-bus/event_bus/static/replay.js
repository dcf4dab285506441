/** Replay live: the real service goes back and steps, and the whole class sees it. Always with a way to put it back. */

import { ask, Refused } from "./api.js";
import { confirm } from "./dialogs.js";
import { find } from "./dom.js";
import { change, chosen, view } from "./view.js";

const path = () => `/subscribers/${encodeURIComponent(view.service)}`;
let moving = false;
let wanted = null; // where to go next
let goal = null; // where it is going

/** Where the service will be when it has done what was asked: the next step counts from there. */
export const destination = () => wanted ?? goal ?? view.at;

/** Show a refusal of the bus, or take it away. */
export function trouble(words) {
  const line = find("#trouble");
  line.textContent = words ?? "";
  line.hidden = !words;
}

/** Hold the chosen service, then do what is asked of it; say what went wrong. Return whether all went well. */
async function tell(...requests) {
  try {
    for (const [method, where, body] of requests) await ask(path() + where, { method, body });
    trouble(null);
    return true;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    trouble(error.message);
    return false;
  }
}

/** Ask, then send the service back and let the transport step it. */
export async function begin() {
  const service = view.service;
  const paused = chosen()?.paused;
  const yes = await confirm(
    `Replay ${service} live?`,
    `${service} forgets everything and is replayed step by step, and everybody who has the blog open sees it. ` +
      `The log is not touched, nothing is lost, and “Put everything back” brings ${service} to the end again.`,
    paused ? "Go on from where it is held" : "Send it back to the beginning",
  );
  if (!yes) return;
  const held = paused || (await tell(["PATCH", "", { paused: true }], ["POST", "/rewind", { to: 0 }]));
  if (held) change({ replaying: true, following: false, skip: [], at: paused ? chosen().position : 0 });
}

/** Let the service go on to the head, and follow again. */
export async function putBack() {
  if (await tell(["PATCH", "", { paused: false }])) change({ replaying: false, following: true });
}

/** Move the held service to this position: forwards by steps, backwards by a replay up to there. */
export async function replayTo(at) {
  wanted = at;
  if (moving) return;
  moving = true;
  try {
    while (wanted !== null) {
      const to = (goal = wanted);
      wanted = null;
      const from = chosen()?.position ?? 0;
      if (to === from) continue;
      const moved = await tell(to > from ? ["POST", "/step", { count: to - from }] : ["POST", "/rewind", { to }]);
      if (!moved) return;
      const { data } = await ask(path());
      chosen().position = data.position;
      change({ at: data.position, following: false });
    }
  } finally {
    moving = false;
    goal = wanted = null;
  }
}

/** The bus told how the service is: somebody else may have let it go, or moved it. */
export function notice() {
  const service = chosen();
  if (!view.replaying || !service || moving) return;
  if (!service.paused) change({ replaying: false, following: true });
  else if (service.position !== view.at) change({ at: service.position });
}

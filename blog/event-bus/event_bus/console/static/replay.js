/** Replay live: rewind and step the running services, in front of all readers of the blog; and put everything back. */

import { ask, Refused } from "./api.js";
import { confirm } from "./dialogs.js";
import { trouble } from "./header.js";
import { beginReplay, chosen, controlled, follow, keepUp, paused, replayedTo } from "./timeline.js";
import { act, view } from "./view.js";

let moving = false;
let wanted = null; // the position to go to next
let goal = null; // the position that the services are going to

/** Return where the services will be once they have arrived: the next step counts from there. */
export const destination = () => wanted ?? goal ?? view.at;

/** Send the bus a control of this subscriber; return the reply, or show the error and return null. */
async function control({ name }, method, where, body) {
  try {
    const { data } = await ask(`/subscribers/${encodeURIComponent(name)}${where}`, { method, body });
    trouble(null);
    act(controlled, name, data);
    return data;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    trouble(error.message);
    return null;
  }
}

/** Ask for confirmation, then rewind the chosen service; from now on the transport steps it. */
export async function begin() {
  const service = chosen(view);
  if (!service) return;
  const { name, paused: isPaused, position } = service;
  const yes = await confirm(
    `Replay ${name} live?`,
    `${name} forgets its state and is replayed step by step. All readers of the blog see that. ` +
      `The log does not change, and “Put everything back” replays ${name} to the end.`,
    isPaused ? `Continue from #${position}, where it is paused` : "Rewind it to the beginning",
  );
  if (!yes) return;
  const rewound =
    isPaused ||
    ((await control(service, "PATCH", "", { paused: true })) && (await control(service, "POST", "/rewind", { to: 0 })));
  if (rewound) act(beginReplay, isPaused ? position : 0);
}

/** Resume all services that are paused, and follow the log again. */
export async function putBack() {
  const replies = await Promise.all(paused(view).map((service) => control(service, "PATCH", "", { paused: false })));
  if (!replies.includes(null)) act(follow);
}

/** Move all services that are paused to this position: forwards by steps, backwards by a replay up to there. */
export async function replayTo(at) {
  wanted = at;
  if (moving) return;
  moving = true;
  try {
    while (wanted !== null) {
      goal = wanted;
      wanted = null;
      const replies = await Promise.all(paused(view).map((service) => move(service, goal)));
      if (replies.includes(null)) return;
      act(replayedTo, chosen(view)?.position ?? goal);
    }
  } finally {
    moving = false;
    goal = null;
    wanted = null;
  }
}

function move(service, to) {
  if (service.position === to) return service;
  const count = to - service.position;
  return count > 0 ? control(service, "POST", "/step", { count }) : control(service, "POST", "/rewind", { to });
}

/** Keep up with a service that another page has moved or resumed. */
export function notice() {
  if (!moving) act(keepUp);
}

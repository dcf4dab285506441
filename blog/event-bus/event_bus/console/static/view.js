/** The one view of this page: modules act on it, listen to it, and read it. The address always leads to it. */

import { addressOf, openAddress, START } from "./timeline.js";

export let view = START;

const listeners = [];
let before = START; // what the listeners have seen
let scheduled = false;
let address = ""; // the hash that this page has read or written; another one was typed meanwhile

/** Call `listener(was)` after the view has changed: once for all actions of a moment, with the view before them. */
export function onChange(listener) {
  listeners.push(listener);
}

/** Apply an action of `timeline.js` to the view, for example `act(seek, 12)`. */
export function act(action, ...details) {
  view = action(view, ...details);
  if (scheduled) return;
  scheduled = true;
  queueMicrotask(() => {
    scheduled = false;
    const was = before;
    before = view;
    writeAddress();
    for (const listener of listeners) listener(was);
  });
}

/** Show what the address names. */
export function readAddress() {
  address = location.hash;
  act(openAddress, address);
}

function writeAddress() {
  if (view.logId === null || address !== location.hash) return;
  const written = addressOf(view);
  if (written === address) return;
  history.replaceState(null, "", written);
  address = location.hash;
}

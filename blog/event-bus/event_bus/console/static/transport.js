/** The transport: keys and buttons that move along the log, and playing. It looks back or moves running services. */

import { find } from "./dom.js";
import { destination, replayTo } from "./replay.js";
import { seek } from "./timeline.js";
import { act, view } from "./view.js";

const SPEEDS = [0, 1_600, 1_000, 600, 300, 120]; // milliseconds between two events

let speed = 3;
let playing = null;

/** Go to this position. */
export function go(to) {
  const at = Math.max(0, Math.min(to, view.head));
  if (view.replaying) replayTo(at);
  else act(seek, at);
}

const by = (many) => go((view.replaying ? destination() : view.at) + many);

const ACTIONS = {
  ArrowLeft: (many) => by(-many),
  ArrowRight: (many) => by(many),
  PageUp: () => by(-1),
  PageDown: () => by(1),
  Home: () => go(0),
  End: () => go(view.head),
  " ": () => play(!playing),
  ".": () => play(!playing),
  "?": () => find("#keys").showModal(),
};

function play(on) {
  clearInterval(playing);
  playing = null;
  if (on && view.at === view.head) go(0);
  if (on) {
    playing = setInterval(() => {
      if (view.at >= view.head) play(false);
      else by(1);
    }, SPEEDS[speed]);
  }
  find("#play").textContent = on ? "Stop" : "Play";
  find("#play").setAttribute("aria-label", on ? "Stop (space)" : "Play (space)");
}

/** Do what this key does; return whether it does anything. */
function press(key, many = 1) {
  if (key in SPEEDS && key !== "0") {
    speed = Number(key);
    find("#speed").textContent = key;
    if (playing) play(true);
    return true;
  }
  if (!(key in ACTIONS)) return false;
  if (playing && ![" ", "."].includes(key)) play(false);
  ACTIONS[key](many);
  return true;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || document.querySelector("dialog[open]")) return;
  const target = event.target;
  if (target.matches("input:not([type=range]), select, textarea")) return;
  // The space key presses a button that has the focus.
  if (event.key === " " && target.matches("button, a, summary")) return;
  if (press(event.key, event.shiftKey ? 10 : 1)) event.preventDefault();
});

for (const button of document.querySelectorAll("[data-key]")) {
  button.addEventListener("click", (event) => press(button.dataset.key, event.shiftKey ? 10 : 1));
}
find("#help").addEventListener("click", () => press("?"));

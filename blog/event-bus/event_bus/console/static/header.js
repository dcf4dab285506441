/** The header: what this page is doing, its trouble, and the buttons that begin and end a live replay. */

import { find } from "./dom.js";
import { chosen, paused } from "./timeline.js";
import { view } from "./view.js";

/** Show an error, or remove it where there are no words. */
export function trouble(words) {
  const line = find("#trouble");
  line.textContent = words ?? "";
  line.hidden = !words;
}

/** Show what this page is doing. */
export function draw(connected) {
  const mode = find("#mode");
  const [kind, words] = connected ? modeOf(view) : ["away", "Not connected"];
  mode.dataset.mode = kind;
  if (mode.textContent !== words) mode.textContent = words; // a screen reader reads each change aloud
  document.body.dataset.mode = kind;
  const services = paused(view);
  find("#put-back").hidden = !services.length;
  find("#put-back").textContent = view.replaying ? "Put everything back" : resumeWords(services);
  find("#replay-live").hidden = view.replaying;
  find("#replay-live").disabled = !chosen(view);
}

function modeOf({ replaying, following, service, at, head }) {
  if (replaying) return ["replay", `Replaying live: the blog shows ${service} at #${at} of ${head}`];
  if (following) return ["live", `Live: following the log at #${head}`];
  return ["look", `Look back at #${at} of ${head}: the running services stay as they are`];
}

function resumeWords(services) {
  if (services.length !== 1) return `${services.length} services are paused: resume them`;
  const [{ name, position }] = services;
  return `${name} is paused at #${position}: resume it`;
}

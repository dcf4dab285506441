/** The strip of the whole log: a coloured tick for each event, in a long log for some events, under a slider. */

import { ask } from "./api.js";
import { element, find } from "./dom.js";
import { colourOf } from "./event-types.js";
import { go } from "./transport.js";
import { view } from "./view.js";

const REFRESH = 1_000; // milliseconds: while events stream in, the strip is loaded once a second

const canvas = find("#ticks");
const slider = find("#slider");
let strip = { head: 0, every: 1, types: [], ticks: [] };
let due = null;

slider.addEventListener("input", () => go(slider.valueAsNumber));
new ResizeObserver(() => draw()).observe(canvas);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw());

/** Load the ticks again, at once for another log, otherwise soon; call `onTypes` with the types of the log. */
export function refresh(onTypes, atOnce) {
  if (atOnce) {
    clearTimeout(due);
    due = null;
  }
  due ??= setTimeout(load, atOnce ? 0 : REFRESH, onTypes);
}

async function load(onTypes) {
  due = null;
  try {
    strip = (await ask("/whiteboard/ticks")).data;
  } catch {
    return; // the bus is away, as the header says
  }
  onTypes(strip.types);
  draw();
}

/** Draw ticks and playhead. */
export function draw() {
  slider.max = view.head;
  slider.value = view.at;
  slider.setAttribute("aria-valuetext", `event ${view.at} of ${view.head}`);
  const { width, height } = canvas.getBoundingClientRect();
  const scale = devicePixelRatio || 1;
  canvas.width = width * scale;
  canvas.height = height * scale;
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  const head = Math.max(view.head, 1);
  const step = (width / head) * strip.every;
  const tick = Math.max(Math.min(step - 1, 14), 1);
  const colours = strip.types.map(fillOf);
  strip.ticks.forEach((type, index) => {
    pen.fillStyle = colours[type];
    pen.fillRect(((index * strip.every + 0.5) * width) / head - tick / 2, 6, tick, height - 12);
  });
  pen.fillStyle = getComputedStyle(canvas).color;
  pen.fillRect(Math.min(((Math.max(view.at, 0.5) - 0.5) * width) / head, width - 2) - 1.5, 0, 3, height);
}

/** Read a type's colour from the style sheet. */
function fillOf(type) {
  const probe = element("i", { class: colourOf(type), hidden: true });
  document.body.append(probe);
  const colour = getComputedStyle(probe).backgroundColor;
  probe.remove();
  return colour;
}

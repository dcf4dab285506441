/** The whole log in one strip: a coloured tick for each event, or for one in so many, and the slider over them. */

import { ask } from "./api.js";
import { colourOf, element, find } from "./dom.js";
import { offerTypes } from "./list.js";
import { go } from "./transport.js";
import { view } from "./view.js";

const REFRESH = 1_000; // milliseconds: a strip that is finer than the eye need not be newer

const canvas = find("#ticks");
const slider = find("#slider");
let strip = { head: 0, every: 1, types: [], ticks: [] };
let due = null;

slider.addEventListener("input", () => go(slider.valueAsNumber));
new ResizeObserver(() => draw()).observe(canvas);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw());

/** The log has grown, or is another one: fetch the ticks soon, and not too often. */
export function refresh(soon = false) {
  if (soon) {
    clearTimeout(due);
    due = null;
  }
  due ??= setTimeout(
    async () => {
      due = null;
      try {
        strip = (await ask("/whiteboard/ticks")).data;
      } catch {
        return;
      }
      offerTypes(strip.types);
      draw();
    },
    soon ? 0 : REFRESH,
  );
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

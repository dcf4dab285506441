/** The variant: which events are switched off, and how the state differs from that of the whole log. */

import { element, find } from "./dom.js";
import { allOn } from "./timeline.js";
import { act, view } from "./view.js";

const SHOWN = 6; // differences
const LONGEST = 60; // characters of a value

const line = find("#without");

/** Show the variant. `without` has the differences: `{count, changes}`, nothing until they have loaded. */
export function draw(without) {
  line.hidden = !view.skip.length;
  if (line.hidden) return;
  const names = view.skip.map((mark) => (mark.endsWith("*") ? `#${mark.slice(0, -1)} and what it caused` : `#${mark}`));
  const count = without?.count ?? "…";
  const changes = without?.changes ?? [];
  line.replaceChildren(
    element("b", {}, `What if: without ${names.join(", ")}. `),
    count === 1 ? "1 thing is different. " : `${count} things are different. `,
    element("button", { onclick: () => act(allOn) }, "All on again"),
    element("ul", {}, ...changes.slice(0, SHOWN).map((one) => element("li", { class: one.change }, inWords(one)))),
  );
}

/** Describe a difference in a line: `1f2e › comments › 0a1b › status: pending → approved`. */
function inWords({ path, change, before, after }) {
  const values = {
    added: () => `+ ${short(after)}`,
    removed: () => `− ${short(before)}`,
    changed: () => `${short(before)} → ${short(after)}`,
  };
  return `${path.join(" › ")}: ${values[change]()}`;
}

function short(value) {
  const text = typeof value === "string" ? value : (value?.title ?? value?.content ?? JSON.stringify(value));
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}

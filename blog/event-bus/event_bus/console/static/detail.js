/** The event at the position: its JSON, and its chain from the first cause to the last effect. */

import { colourOf, element, find, summaryOf } from "./dom.js";
import { chainOf, load } from "./events.js";
import { switchOff } from "./list.js";
import { seek, view } from "./view.js";

const place = find("#event");

/** Show the event at the position, and note it in the view; return the numbers of its chain, null if it is late. */
export async function show() {
  if (view.at === 0) {
    place.replaceChildren(element("p", { class: "empty" }, "Before the first event."));
    return new Set();
  }
  const at = view.at;
  const event = await load(at, view.head);
  if (!event || at !== view.at) return null;
  view.event = event;
  const chain = await chainOf(event);
  if (at !== view.at) return null;
  place.replaceChildren(
    element(
      "div",
      { class: "about" },
      element("i", { class: colourOf(event.type) }),
      element("b", {}, `#${event.seq} ${event.type}`),
      element("span", {}, `from ${event.source}`),
    ),
    element("ol", { class: "chain", "aria-label": "Its chain, from the first cause" }, ...chain.map(link)),
    element(
      "div",
      { class: "what-if" },
      element("span", {}, "What if it had not happened?"),
      toggle(String(at), "Switch off"),
      toggle(`${at}*`, "… with what it caused"),
    ),
    element("details", {}, element("summary", {}, "JSON"), element("pre", {}, JSON.stringify(event, null, 2))),
  );
  return new Set(chain.map((one) => one.seq));
}

function link(event) {
  return element(
    "li",
    {},
    element(
      "button",
      { "aria-current": event.seq === view.at && "true", onclick: () => seek(event.seq) },
      element("i", { class: colourOf(event.type) }),
      `#${event.seq} ${event.type}`,
      element("span", { class: "summary" }, summaryOf(event)),
    ),
  );
}

function toggle(mark, words) {
  const pressed = view.skip.includes(mark);
  return element("button", { "aria-pressed": String(pressed), onclick: () => switchOff(mark) }, words);
}

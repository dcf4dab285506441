/** The event at the position: its chain from the first cause to the last effect, its switches, and its JSON. */

import { element, find } from "./dom.js";
import { colourOf, summaryOf } from "./event-types.js";
import { seek, toggle } from "./timeline.js";
import { act, view } from "./view.js";

const place = find("#event");

/** Show the event of the view. Until it has loaded, the event before stays, without its switches. */
export function draw() {
  const { at, event, chain } = view;
  if (at === 0) place.replaceChildren(element("p", { class: "empty" }, "Before the first event."));
  if (!event) {
    // A click is meant for the event at the position, and these switches are of another one.
    for (const button of place.querySelectorAll(".what-if button")) button.disabled = true;
    return;
  }
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
      switchFor(String(at), "Switch off"),
      switchFor(`${at}*`, "… with what it caused"),
    ),
    element("details", {}, element("summary", {}, "JSON"), element("pre", {}, JSON.stringify(event, null, 2))),
  );
}

function link(event) {
  return element(
    "li",
    {},
    element(
      "button",
      { "aria-current": event.seq === view.at && "true", onclick: () => act(seek, event.seq) },
      element("i", { class: colourOf(event.type) }),
      `#${event.seq} ${event.type}`,
      element("span", { class: "summary" }, summaryOf(event)),
    ),
  );
}

function switchFor(mark, words) {
  const pressed = view.skip.includes(mark);
  return element("button", { "aria-pressed": String(pressed), onclick: () => act(toggle, mark) }, words);
}

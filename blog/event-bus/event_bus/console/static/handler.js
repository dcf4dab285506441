/** The handler that the event at the position ran in the chosen service, and a story's note for the instructor. */

import { element, find } from "./dom.js";
import { inPython } from "./python.js";
import { view } from "./view.js";

/** Show the note, and the handler with its source; without a handler, these words. */
export function draw(handler, words) {
  const note = view.event?.note;
  find("#note").hidden = !note;
  find("#note").textContent = note ?? "";
  const place = find("#handler");
  if (!handler) {
    place.replaceChildren(element("p", { class: "empty" }, words));
    return;
  }
  const where = element("p", { class: "where" }, element("b", {}, handler.name), ` ${handler.file}:${handler.line}`);
  place.replaceChildren(where, inPython(handler.source));
}

/** The log as a list. Only what is visible is in the page, however long the log is. */

import { colourOf, element, find, summaryOf } from "./dom.js";
import { known, load, search } from "./events.js";
import { change, seek, view } from "./view.js";

const HEIGHT = 34; // pixels, as in the style sheet
const MARGIN = 6; // rows above and below what is visible

const list = find("#list");
const rows = find("#rows");
let found = null; // with a filter: the numbers that it found so far
let next = null; // and where the search goes on
let filter = {};
let drawn = "";
let lit = new Set();

/** Draw the list anew where something changed. */
export function draw(chain) {
  lit = chain ?? lit;
  const count = found ? found.length : view.head;
  const top = Math.max(0, Math.floor(list.scrollTop / HEIGHT) - MARGIN);
  const bottom = Math.min(count, Math.ceil((list.scrollTop + list.clientHeight) / HEIGHT) + MARGIN);
  const numbers = [];
  for (let place = top; place < bottom; place += 1) numbers.push(found ? found[place] : place + 1);
  fetchMissing(numbers);
  const now = JSON.stringify([numbers.map((seq) => [seq, Boolean(known(seq))]), top, count, view.at, view.skip, [...lit]]);
  if (now === drawn) return;
  drawn = now;
  const focused = rows.contains(document.activeElement) ? document.activeElement.dataset.focus : null;
  rows.style.height = `${count * HEIGHT}px`;
  rows.replaceChildren(...numbers.map((seq, index) => row(seq, top + index)));
  if (focused) rows.querySelector(`[data-focus="${focused}"]`)?.focus({ preventScroll: true });
  if (found && next && bottom >= count) searchOn();
}

function row(seq, place) {
  const event = known(seq);
  const current = seq === view.at;
  const off = view.skip.some((mark) => Number.parseInt(mark, 10) === seq);
  const named = event ? `#${seq} ${event.type}` : `#${seq}`;
  const made = element(
    "li",
    { class: `${current ? "current" : ""}${off ? " off" : ""}${lit.has(seq) && lit.size > 1 ? " lit" : ""}` },
    element(
      "button",
      {
        class: "go",
        "data-focus": `go ${seq}`,
        "aria-current": current && "true",
        tabindex: current ? 0 : -1,
        onclick: () => seek(seq),
      },
      element("span", { class: "seq" }, `#${seq}`),
      element("i", { class: event ? colourOf(event.type) : "" }),
      element("span", { class: "type" }, event?.type ?? "…"),
      element("span", { class: "summary" }, event ? summaryOf(event) : ""),
      event?.note && element("span", { class: "has-note", title: event.note }, "✎"),
    ),
    element(
      "button",
      {
        class: "switch",
        "data-focus": `switch ${seq}`,
        "aria-pressed": String(off),
        "aria-label": `${off ? "off" : "on"}: ${named}. What if it had not happened?`,
        title: "what if this had not happened?",
        tabindex: current ? 0 : -1,
        onclick: () => switchOff(String(seq)),
      },
      off ? "off" : "on",
    ),
  );
  made.style.transform = `translateY(${place * HEIGHT}px)`;
  return made;
}

/** Switch an event off, or on again; `7*` with all that it caused. */
export function switchOff(mark) {
  const others = view.skip.filter((one) => Number.parseInt(one, 10) !== Number.parseInt(mark, 10));
  change({ skip: view.skip.includes(mark) || (!mark.endsWith("*") && others.length < view.skip.length) ? others : [...others, mark] });
}

async function fetchMissing(numbers) {
  const missing = numbers.filter((seq) => !known(seq));
  if (!missing.length) return;
  try {
    await Promise.all([load(missing[0], view.head), load(missing.at(-1), view.head)]);
    draw();
  } catch {
    // The page says already that the bus is away, and asks again when it is back.
  }
}

/** Bring the position into sight. */
export function showPosition() {
  const place = found ? found.indexOf(view.at) : view.at - 1;
  if (place < 0) {
    if (view.at === 0) list.scrollTop = 0;
    return;
  }
  const top = place * HEIGHT;
  rows.style.height = `${(found ? found.length : view.head) * HEIGHT}px`;
  if (view.following) list.scrollTop = top;
  else if (top < list.scrollTop + HEIGHT) list.scrollTop = top - HEIGHT;
  else if (top + 2 * HEIGHT > list.scrollTop + list.clientHeight) list.scrollTop = top + 2 * HEIGHT - list.clientHeight;
}

async function searchOn() {
  const address = next;
  next = null;
  const asked = filter;
  const page = await search(filter, address).catch(() => ({ events: [], next: null }));
  if (asked !== filter) return;
  found.push(...page.events.map((event) => event.seq));
  next = page.next;
  draw();
}

/** The log has grown: look whether a filter finds more. */
export async function grown() {
  if (!found || next) return;
  const asked = filter;
  const page = await search({ ...filter, after: found.at(-1) ?? 0 }).catch(() => ({ events: [], next: null }));
  if (asked !== filter || !found) return;
  const last = found.at(-1) ?? 0;
  found.push(...page.events.map((event) => event.seq).filter((seq) => seq > last));
  next = page.next;
  draw();
}

async function filterBy() {
  filter = {};
  if (find("#type").value) filter.type = find("#type").value;
  if (find("#text").value.trim()) filter.contains = find("#text").value.trim();
  found = Object.keys(filter).length ? [] : null;
  next = null;
  list.scrollTop = 0;
  if (found) await grown();
  showPosition();
  draw();
}

let patience;
find("#type").addEventListener("change", filterBy);
find("#text").addEventListener("input", () => {
  clearTimeout(patience);
  patience = setTimeout(filterBy, 200);
});
list.addEventListener("scroll", () => draw(), { passive: true });

/** Offer these types to filter by. */
export function offerTypes(types) {
  const select = find("#type");
  for (const type of types) {
    if (![...select.options].some((option) => option.value === type)) select.append(element("option", { value: type }, type));
  }
}

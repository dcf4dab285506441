/** The log as a list, and its filter. Only the rows in sight are on the page, however long the log is. */

import { element, find } from "./dom.js";
import { colourOf, summaryOf } from "./event-types.js";
import { known, load, search } from "./events.js";
import { isOff, seek, toggle } from "./timeline.js";
import { act, view } from "./view.js";

const HEIGHT = 34; // pixels, as in the style sheet
const MARGIN = 6; // rows above and below those in sight
const TYPING = 200; // milliseconds without a key until the filter searches

const list = find("#list");
const rows = find("#rows");
let found = null; // with a filter: the numbers of the events that it has found so far
let next = null; // with a filter: the address of the next page
let filter = {};
let drawn = "";

/** Draw the list, if anything in it has changed. */
export function draw() {
  const count = found ? found.length : view.head;
  const top = Math.max(0, Math.floor(list.scrollTop / HEIGHT) - MARGIN);
  const bottom = Math.min(count, Math.ceil((list.scrollTop + list.clientHeight) / HEIGHT) + MARGIN);
  const numbers = [];
  for (let place = top; place < bottom; place += 1) numbers.push(found ? found[place] : place + 1);
  loadMissing(numbers);
  const chain = new Set(view.chain.length > 1 ? view.chain.map((event) => event.seq) : []);
  const loaded = numbers.map((seq) => [seq, Boolean(known(seq))]);
  const now = JSON.stringify([view.logId, loaded, top, count, view.at, view.skip, [...chain]]);
  if (now === drawn) return;
  drawn = now;
  const focused = rows.contains(document.activeElement) ? document.activeElement.dataset.focus : null;
  rows.style.height = `${count * HEIGHT}px`;
  rows.replaceChildren(...numbers.map((seq, index) => row(seq, top + index, chain.has(seq))));
  if (focused) rows.querySelector(`[data-focus="${focused}"]`)?.focus({ preventScroll: true });
  if (found && next && bottom >= count) searchOn();
}

function row(seq, place, isLit) {
  const event = known(seq);
  const current = seq === view.at;
  const off = isOff(view, seq);
  const named = event ? `#${seq} ${event.type}` : `#${seq}`;
  const made = element(
    "li",
    { class: `${current ? "current" : ""}${off ? " off" : ""}${isLit ? " lit" : ""}` },
    element(
      "button",
      {
        class: "go",
        "data-focus": `go ${seq}`,
        "aria-current": current && "true",
        tabindex: current ? 0 : -1,
        onclick: () => act(seek, seq),
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
        title: "What if this had not happened?",
        tabindex: current ? 0 : -1,
        onclick: () => act(toggle, String(seq)),
      },
      off ? "off" : "on",
    ),
  );
  made.style.transform = `translateY(${place * HEIGHT}px)`;
  return made;
}

async function loadMissing(numbers) {
  const missing = numbers.filter((seq) => !known(seq));
  if (!missing.length) return;
  try {
    await Promise.all([load(missing[0], view.head), load(missing.at(-1), view.head)]);
    draw();
  } catch {
    // The bus is away, as the header says. The list is drawn again when the bus is back.
  }
}

/** Scroll to the position. */
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

/** Load the next page of what the filter finds. */
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

/** Search the events that the log has grown by. */
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

let typing;
find("#type").addEventListener("change", filterBy);
find("#text").addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(filterBy, TYPING);
});
list.addEventListener("scroll", () => draw(), { passive: true });

/** Offer these types in the filter. */
export function offerTypes(types) {
  const select = find("#type");
  for (const type of types) {
    if (![...select.options].some((option) => option.value === type))
      select.append(element("option", { value: type }, type));
  }
}

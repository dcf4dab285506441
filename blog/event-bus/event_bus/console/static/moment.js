/** The moment: the event at the position, the handler that it ran, what changed, and the state. One request for all. */

import { ask, Refused } from "./api.js";
import { element, find } from "./dom.js";
import { keep, loadChain } from "./events.js";
import * as handler from "./handler.js";
import { isPod } from "./names.js";
import { blogCards, isObject, jsonLines } from "./state.js";
import { eventLoaded } from "./timeline.js";
import * as variant from "./variant.js";
import { act, view } from "./view.js";

const SHOWN = 30; // entities

let busy = false;
let again = false;
let last = null; // the moment that was loaded last: another tab shows it without a request
let shown = "";

/** Load the moment and show it. While a request is under way, only the newest of the further ones counts. */
export async function show() {
  again = busy;
  if (busy) return;
  busy = true;
  try {
    await load(view);
  } finally {
    busy = false;
    if (again) show();
  }
}

async function load({ at, service, skip }) {
  const wanted = new URLSearchParams({ at, last: SHOWN });
  if (skip.length) wanted.set("skip", skip.join(","));
  try {
    const { data } = await ask(`/subscribers/${encodeURIComponent(service)}/moment?${wanted}`);
    keep(data.chain);
    act(eventLoaded, at, data.event, data.chain);
    last = { ...data, service };
    draw();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    await showRefusal(error, at, service);
  }
}

/** Show why there is no state. The log has the event all the same. */
async function showRefusal({ status, message }, at, service) {
  const { event, chain } = await loadChain(at, view.head).catch(() => ({ event: null, chain: [] }));
  act(eventLoaded, at, event, chain);
  last = null;
  shown = "";
  const hint = status === 503 && !isPod(service) ? ` In a terminal: make start SERVICE=${service}` : "";
  find("#moment-title").textContent = `State at #${at}`;
  find("#state").replaceChildren(element("p", { class: "empty" }, message + hint));
  handler.draw(null, "");
}

/** Draw the moment that was loaded last, as posts and comments or as JSON. */
export function draw() {
  if (!last) return;
  variant.draw(last.without);
  const { at, service, event } = last;
  const now = JSON.stringify([last, view.tab]);
  if (now === shown) return; // what a reader has selected stays selected
  shown = now;
  find("#moment-title").textContent = `State at #${at}`;
  drawState(last);
  const words = event ? `${service} has no handler for ${event.type}, so its state stays the same.` : "";
  handler.draw(last.handler, words);
}

function drawState({ at, service, state, changes, entities }) {
  const place = find("#state");
  const drawn = view.tab === "json" ? jsonLines(state, changes) : blogCards(state, changes);
  const older = isObject(state) ? entities - Object.keys(state).length : 0;
  place.replaceChildren(
    ...(drawn.length ? drawn : [element("p", { class: "empty" }, emptyWords(at, service))]),
    older > 0 ? element("p", { class: "empty" }, `… and ${older.toLocaleString("en")} older ones`) : "",
  );
  place.dataset.at = at;
  place.dataset.service = service;
  scrollToChange(place);
}

function emptyWords(at, service) {
  if (service === "moderation") return "moderation keeps no state: it only publishes verdicts.";
  return at === 0 ? `Before the first event, ${service} is empty.` : `At #${at}, ${service} is empty.`;
}

/** Scroll the state, and only the state, until the first change is in sight. */
function scrollToChange(place) {
  const changed = place.querySelector(".added, .changed, .removed");
  if (!changed) return;
  const top = changed.offsetTop - place.offsetTop;
  if (top < place.scrollTop || top + changed.offsetHeight > place.scrollTop + place.clientHeight) {
    place.scrollTop = Math.max(0, top - 40);
  }
}

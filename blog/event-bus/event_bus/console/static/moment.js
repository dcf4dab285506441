/** The state at the position: what the chosen service held, what the last step changed, and the handler that did it. */

import { ask, Refused } from "./api.js";
import { element, find } from "./dom.js";
import { inPython } from "./python.js";
import { blogCards, jsonLines } from "./state.js";
import { change, isPod, view } from "./view.js";

const SHOWN = 30; // entities

const handlers = new Map(); // service → its handlers
let busy = false;
let again = false;
let shown = "";

/** Show the moment. While one is fetched, only the newest of those asked for meanwhile counts. */
export async function show() {
  if (busy) {
    again = true;
    return;
  }
  busy = true;
  try {
    await fetchMoment(event);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    find("#moment-title").textContent = `State at #${view.at}`;
    const hint = error.status === 503 && !isPod(view.service) ? ` To start it: make start SERVICE=${view.service}` : "";
    find("#state").replaceChildren(element("p", { class: "empty" }, error.message + hint));
    find("#handler").replaceChildren();
  } finally {
    busy = false;
    if (again) {
      again = false;
      show();
    }
  }
}

/** The last moment's parts, so that another way of showing it need not fetch it again. */
let last = null;

async function fetchMoment() {
  const { at, service, skip, tab } = view;
  const left = skip.length ? `&skip=${skip.join(",")}` : "";
  const service_ = `/subscribers/${encodeURIComponent(service)}`;
  const whatIf = skip.length ? ask(`${service_}/changes?from=${at}&to=${at}${left}&from_skip=`) : null;
  const { data: step } = await ask(`${service_}/changes?to=${at}${left}`);
  const ids = [...new Set(step.changes.map((one) => String(one.path[0])))].slice(0, SHOWN).join(",");
  const { data: moment } = await ask(`${service_}/state?at=${at}&last=${SHOWN}&ids=${encodeURIComponent(ids)}${left}`);
  if (!handlers.has(service)) handlers.set(service, (await ask(`${service_}/handlers`)).data);
  last = { at, service, moment, step, without: whatIf && (await whatIf).data, tab };
  render();
  showHandler();
}

/** Draw what was fetched, as posts and comments or as JSON. */
export function render() {
  if (!last) return;
  const { at, service, moment, step, without } = last;
  find("#moment-title").textContent = `State at #${at}`;
  const now = JSON.stringify([last, view.tab]);
  if (now !== shown) {
    shown = now;
    const state = find("#state");
    const more = (moment.entities ?? 0) - Object.keys(moment.state ?? {}).length;
    const drawn = view.tab === "json" ? jsonLines(moment.state, step.changes) : blogCards(moment.state, step.changes);
    state.replaceChildren(
      ...(drawn.length ? drawn : [element("p", { class: "empty" }, emptyWords(service, at))]),
      more > 0 ? element("p", { class: "empty" }, `… and ${more.toLocaleString("en")} older ones`) : "",
    );
    state.dataset.at = at;
    state.dataset.service = service;
    bringIntoSight(state);
  }
  showWithout(without);
}

function emptyWords(service, at) {
  if (service === "moderation") return "moderation keeps nothing: it only answers.";
  return at === 0 ? `Before the first event, ${service} is empty.` : `At #${at}, ${service} is empty.`;
}

/** Scroll the state alone, so that what changed can be seen. */
function bringIntoSight(state) {
  const changed = state.querySelector(".added, .changed, .removed");
  if (!changed) return;
  const top = changed.offsetTop - state.offsetTop;
  if (top < state.scrollTop || top + changed.offsetHeight > state.scrollTop + state.clientHeight) {
    state.scrollTop = Math.max(0, top - 40);
  }
}

/** Say what is switched off, and what became different. */
function showWithout(without) {
  const line = find("#without");
  line.hidden = !view.skip.length;
  if (line.hidden) return;
  const names = view.skip.map((mark) => (mark.endsWith("*") ? `#${mark.slice(0, -1)} and what it caused` : `#${mark}`));
  const difference = without?.count === 1 ? "1 thing is different" : `${without?.count ?? "…"} things are different`;
  line.replaceChildren(
    element("b", {}, `What if: without ${names.join(", ")}. `),
    `${difference}. `,
    element("button", { onclick: () => change({ skip: [] }) }, "All on again"),
    element(
      "ul",
      {},
      ...(without?.changes ?? []).slice(0, 6).map((one) => element("li", { class: one.change }, inWords(one))),
    ),
  );
}

/** Say a change in a line: `1f2e › comments › 0a1b › status: pending → approved`. */
function inWords({ path, change: kind, before, after }) {
  const values = {
    added: () => `+ ${short(after)}`,
    removed: () => `− ${short(before)}`,
    changed: () => `${short(before)} → ${short(after)}`,
  };
  return `${path.join(" › ")}: ${values[kind]()}`;
}

function short(value) {
  const text = typeof value === "string" ? value : (value?.title ?? value?.content ?? JSON.stringify(value));
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

/** Show the handler that the event at the position ran in the chosen service, and the story's line for the instructor. */
export function showHandler() {
  const { event, service } = view;
  const note = find("#note");
  note.hidden = !event?.note;
  note.textContent = event?.note ?? "";
  const known = handlers.get(service);
  const handler = known?.[event?.type];
  const place = find("#handler");
  if (handler) {
    const where = element("p", { class: "where" }, element("b", {}, handler.name), ` ${handler.file}:${handler.line}`);
    place.replaceChildren(where, inPython(handler.source));
  } else {
    const words = known && event ? `${service} has no handler for ${event.type}: it passes it by.` : "";
    place.replaceChildren(element("p", { class: "empty" }, words));
  }
}

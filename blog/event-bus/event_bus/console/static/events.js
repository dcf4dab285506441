/** Events by their number, fetched in pages when somebody looks at them, and forgotten again. */

import { ask } from "./api.js";

const PAGE = 50; // events
const KEPT = 2_000;

let kept = new Map(); // seq → event
const asked = new Map(); // page → promise

/** Forget everything: it is another log. */
export function forgetEvents() {
  kept = new Map();
  asked.clear();
}

/** Return the event if it is here. */
export const known = (seq) => kept.get(seq);

/** Fetch the page that this event is on. */
export async function load(seq, head) {
  const first = seq - ((seq - 1) % PAGE);
  const key = `${first} ${Math.min(head, first + PAGE - 1)}`;
  if (!asked.has(key)) asked.set(key, fetchPage(first).finally(() => asked.delete(key)));
  await asked.get(key);
  return kept.get(seq);
}

async function fetchPage(first) {
  let after = first - 1;
  const end = after + PAGE;
  // A page of long events comes in pieces.
  while (after < end) {
    const { data } = await ask(`/events?after=${after}&limit=${end - after}`);
    if (!data.length) return;
    for (const event of data) keep(event);
    after = data.at(-1).seq;
  }
}

function keep(event) {
  kept.delete(event.seq);
  kept.set(event.seq, event);
  while (kept.size > KEPT) kept.delete(kept.keys().next().value);
}

/** Fetch all the events of this one's chain, from the first cause to the last effect. */
export async function chainOf(event) {
  const { data } = await ask(`/events?limit=200&correlationid=${encodeURIComponent(event.correlationid)}`);
  for (const one of data) keep(one);
  return data;
}

/** Fetch what a filter finds, a page at a time: `{events, next}`. */
export async function search(filter, address) {
  const wanted = new URLSearchParams({ after: 0, limit: 100, ...filter });
  const { data, next } = await ask(address ?? `/events?${wanted}`);
  for (const event of data) keep(event);
  return { events: data, next };
}

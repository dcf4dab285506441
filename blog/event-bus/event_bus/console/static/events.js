/** Events of the log by their number: loaded in pages when they come into sight, and dropped again. */

import { ask } from "./api.js";

const PAGE = 50; // events
const KEPT = 2_000; // events

let kept = new Map(); // seq → event, the one used last at the end
const loading = new Map(); // page → promise

/** Drop all events: the log is another one. */
export function forgetEvents() {
  kept = new Map();
  loading.clear();
}

/** Return the event with this number if it is loaded. */
export const known = (seq) => kept.get(seq);

/** Load the page that this event is on; return the event. Throws `Refused`. */
export async function load(seq, head) {
  const first = seq - ((seq - 1) % PAGE);
  const key = `${first} ${Math.min(head, first + PAGE - 1)}`;
  if (!loading.has(key)) {
    const page = loadPage(first).finally(() => loading.delete(key));
    loading.set(key, page);
  }
  await loading.get(key);
  return kept.get(seq);
}

async function loadPage(first) {
  let after = first - 1;
  const end = after + PAGE;
  // The bus cuts a page of long events short, so one page may need several requests.
  while (after < end) {
    const { data } = await ask(`/events?after=${after}&limit=${end - after}`);
    if (!data.length) return;
    keep(data);
    after = data.at(-1).seq;
  }
}

/** Keep these events. */
export function keep(events) {
  for (const event of events) {
    kept.delete(event.seq);
    kept.set(event.seq, event);
  }
  while (kept.size > KEPT) kept.delete(kept.keys().next().value);
}

/** Load this event and its chain, from the first cause to the last effect: `{event, chain}`. Throws `Refused`. */
export async function loadChain(seq, head) {
  const event = seq === 0 ? null : (known(seq) ?? (await load(seq, head)));
  if (!event) return { event: null, chain: [] };
  const { data } = await ask(`/events?limit=200&correlationid=${encodeURIComponent(event.correlationid)}`);
  keep(data);
  return { event, chain: data };
}

/** Load a page of what a filter finds, without `next` the first one: `{events, next}`. Throws `Refused`. */
export async function search(filter, next) {
  const wanted = new URLSearchParams({ after: 0, limit: 100, ...filter });
  const page = await ask(next ?? `/events?${wanted}`);
  keep(page.data);
  return { events: page.data, next: page.next };
}

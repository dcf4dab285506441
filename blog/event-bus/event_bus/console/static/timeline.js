/** The timeline: what the page shows, and how each action changes it. Pure: a view and an action in, a view out. */

import { serviceOf } from "./names.js";

/** The view of a page that has just opened. */
export const START = {
  logId: null, // null until the bus has sent it
  head: 0,
  at: 0, // the position that is shown
  wanted: null, // a position from the address that the log has not reached yet
  following: true, // the position moves with the head
  event: null, // the event at the position, null until it has loaded
  chain: [], // the events of its chain; those of the event before until it has loaded
  service: "query",
  skip: [], // the variant: "7" is the log without event 7, "7*" also without all that event 7 caused
  tab: "blog", // or "json"
  replaying: false, // the position moves the running services
  subscribers: [], // as the bus describes them
};

// -- where ------------------------------------------------------------------------------------------------------------

/** Go to a position. At the head, follow it. */
export const seek = (view, at) => settle({ ...view, at, following: at >= view.head, wanted: null });

/** Go to the head and follow it; a live replay ends. */
export const follow = (view) => settle({ ...view, following: true, replaying: false, wanted: null });

/** Show what the bus has sent: the log's id, its head, and its subscribers. Another log starts a new view. */
export function logArrived(view, { log_id: logId, head, subscribers }) {
  const now = { ...view, logId, head, subscribers };
  if (view.logId !== null && view.logId !== logId) {
    return follow({ ...now, event: null, chain: [], skip: [] });
  }
  if (view.wanted === null) return settle(now);
  return settle({ ...now, at: view.wanted, wanted: view.wanted > head ? view.wanted : null });
}

/** Show an event that has loaded, with its chain, unless the position has moved on. */
export function eventLoaded(view, at, event, chain) {
  return at === view.at ? settle({ ...view, event, chain }) : view;
}

// -- what -------------------------------------------------------------------------------------------------------------

/** Look at another service; a live replay ends here, but the services stay paused. */
export const choose = (view, service) => settle({ ...view, service, replaying: false });

/** Show the state as the blog does ("blog"), or as JSON ("json"). */
export const showAs = (view, tab) => ({ ...view, tab });

/** Switch an event off, or on again. The mark `7*` switches off what event 7 caused as well. */
export function toggle(view, mark) {
  const others = view.skip.filter((other) => seqOf(other) !== seqOf(mark));
  const wasOff = others.length < view.skip.length;
  const isOn = view.skip.includes(mark) || (wasOff && !mark.endsWith("*"));
  return { ...view, skip: isOn ? others : [...others, mark] };
}

/** Switch all events on again. */
export const allOn = (view) => ({ ...view, skip: [] });

/** Return whether the event with this number is switched off by a mark of its own. */
export const isOff = (view, seq) => view.skip.some((mark) => seqOf(mark) === seq);

const seqOf = (mark) => Number.parseInt(mark, 10);

// -- replaying live ---------------------------------------------------------------------------------------------------

/** Begin a live replay at this position: from now on the position moves the running services. */
export const beginReplay = (view, at) =>
  settle({ ...view, at, replaying: true, following: false, skip: [], wanted: null });

/** Show where a live replay has arrived. */
export const replayedTo = (view, at) => settle({ ...view, at });

/** Keep a live replay in step with its service, which another page may have moved or resumed. */
export function keepUp(view) {
  const service = chosen(view);
  if (!view.replaying || !service) return view;
  return service.paused ? replayedTo(view, service.position) : follow(view);
}

/** Show the bus's reply to a control of one subscriber. The stream sends the same, a moment later. */
export function controlled(view, name, reply) {
  const merge = ({ position, paused, state }) => ({ position, paused, state });
  const subscribers = view.subscribers.map((one) =>
    one.name === name ? { ...one, ...merge({ ...one, ...reply }) } : one,
  );
  return settle({ ...view, subscribers });
}

// -- questions --------------------------------------------------------------------------------------------------------

/** Return the chosen service as the bus describes it, or nothing if the bus does not know it. */
export const chosen = (view) => view.subscribers.find((subscriber) => subscriber.name === view.service);

/** Return whether the chosen service can be asked: the bus knows it, and it is not down. */
export const isUp = (view) => (chosen(view)?.state ?? "down") !== "down";

/** Return the subscribers that are paused: they move together. */
export const paused = (view) => view.subscribers.filter((subscriber) => subscriber.paused);

// -- the address ------------------------------------------------------------------------------------------------------

/** Read position, service, variant and tab from an address's hash, such as `#at=12&service=query&skip=7,9*`. */
export function openAddress(view, hash) {
  const given = new URLSearchParams(hash.slice(1));
  const at = Number.parseInt(given.get("at"), 10);
  return settle({
    ...view,
    at: at || 0,
    wanted: at > view.head ? at : null,
    following: Number.isNaN(at),
    service: given.get("service") ?? "query",
    skip: (given.get("skip") ?? "").split(",").filter((mark) => /^\d+\*?$/.test(mark)),
    tab: given.get("show") === "json" ? "json" : "blog",
  });
}

/** Return the hash that leads to this view. */
export function addressOf(view) {
  const shown = new URLSearchParams();
  if (!view.following) shown.set("at", view.at);
  shown.set("service", view.service);
  if (view.skip.length) shown.set("skip", view.skip.join(","));
  if (view.tab !== "blog") shown.set("show", view.tab);
  return `#${shown.toString().replaceAll("%2C", ",").replaceAll("%2A", "*")}`;
}

// -- what holds for every view ----------------------------------------------------------------------------------------

/** Keep the position inside the log, the event at that position, and a service that the bus knows. */
function settle(view) {
  const at = view.following ? view.head : Math.max(0, Math.min(view.at, view.head));
  const event = view.event?.seq === at ? view.event : null;
  return { ...view, at, event, service: present(view.service, view.subscribers) };
}

/** Return this name, or, if no subscriber has it, the name of a pod of this service that is up. */
function present(name, subscribers) {
  if (subscribers.some((subscriber) => subscriber.name === name)) return name;
  const ofService = subscribers.filter((subscriber) => subscriber.name.startsWith(`${serviceOf(name)}-`));
  return ofService.find((subscriber) => subscriber.state !== "down")?.name ?? name;
}

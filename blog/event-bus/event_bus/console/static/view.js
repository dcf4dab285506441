/** What this page shows: the position, the service, what is switched off. It is in the address, so a moment can be shared. */

export const view = {
  log: null,
  head: 0,
  at: 0,
  event: null, // the one at the position, as soon as it is here
  following: true, // the position is the head, and goes on with it
  service: "query",
  skip: [], // "7": without event 7; "7*": and without all that it caused
  tab: "blog",
  replaying: false, // the transport moves the real service
  subscribers: [],
};

const listeners = [];
let told = false;

/** Call this whenever the view has changed, with what it was before. */
export function onChange(listener) {
  listeners.push(listener);
}

let before = { ...view };

/** Change the view; listeners hear of it once, a moment later. */
export function change(news) {
  Object.assign(view, news);
  view.service = meant(view.service, view.subscribers);
  if (view.following) view.at = view.head;
  view.at = Math.max(0, Math.min(view.at, view.head));
  if (view.event?.seq !== view.at) view.event = null;
  if (told) return;
  told = true;
  queueMicrotask(() => {
    told = false;
    const was = before;
    before = { ...view };
    writeAddress();
    for (const listener of listeners) listener(was);
  });
}

/** Return this name, or, where nobody has it, that of one who is up of the same service: pods are `query-…`, each its own. */
function meant(name, subscribers) {
  if (subscribers.some((one) => one.name === name)) return name;
  const [service] = name.split("-");
  return subscribers.find((one) => one.name.startsWith(`${service}-`) && one.state !== "down")?.name ?? name;
}

/** Whether this is the name of a pod, as Kubernetes makes them: `query-depl-5d9c7b8f6-x2abc`. */
export const isPod = (name) => name.split("-").length > 3;

/** Return the chosen service as the bus describes it, or nothing where it does not know it. */
export function chosen() {
  return view.subscribers.find((subscriber) => subscriber.name === view.service);
}

/** A position that the address asks for, and that the log has not reached as far as this page knows. */
let wanted = null;

/** The address as this page has read or written it. Where it is another, somebody has just gone there. */
let address = "";

/** Take position, service and what is switched off from the address. */
export function readAddress() {
  address = location.hash;
  const given = new URLSearchParams(address.slice(1));
  const at = Number.parseInt(given.get("at"), 10);
  wanted = at > view.head ? at : null;
  change({
    at: at || 0,
    following: Number.isNaN(at),
    service: given.get("service") ?? "query",
    skip: (given.get("skip") ?? "").split(",").filter((mark) => /^\d+\*?$/.test(mark)),
    tab: given.get("show") === "json" ? "json" : "blog",
  });
}

/** Go to a position, because somebody at this page said so. */
export function seek(at) {
  wanted = null;
  change({ at, following: at >= view.head });
}

/** The bus told how long its log is. */
export function takeHead(log, head) {
  const news = { log, head };
  if (view.log !== null && view.log !== log) {
    wanted = null;
    Object.assign(news, { following: true, skip: [], replaying: false });
  }
  if (wanted !== null) news.at = wanted;
  if (wanted <= head) wanted = null;
  change(news);
}

function writeAddress() {
  if (view.log === null || address !== location.hash) return;
  const shown = new URLSearchParams();
  if (!view.following) shown.set("at", view.at);
  shown.set("service", view.service);
  if (view.skip.length) shown.set("skip", view.skip.join(","));
  if (view.tab !== "blog") shown.set("show", view.tab);
  const written = `#${shown.toString().replaceAll("%2C", ",").replaceAll("%2A", "*")}`;
  if (written === address) return;
  history.replaceState(null, "", written);
  address = location.hash;
}

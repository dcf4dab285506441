/** What the whiteboard shows, as rows in time: an event and who heard it, a burst, a replay, a service that went or came. */

const KEPT = 400; // rows
const SINGLY = 12; // events that come at once and are still drawn one by one
const TAIL = 4; // of a burst, so many at its end are

/** The rows, oldest first. `down` of each says who was down when it began. */
export class Rows {
  constructor() {
    this.list = [];
    this.events = new Map(); // seq → row
    this.states = new Map(); // service → state
    this.isNew = false; // whether things happen now, or are told of because the page has just opened
  }

  /** Note how the subscribers are. */
  subscribers(all) {
    const names = new Set(all.map((subscriber) => subscriber.name));
    for (const name of this.states.keys()) if (!names.has(name)) this.states.delete(name);
    for (const { name, state } of all) {
      const was = this.states.get(name);
      this.states.set(name, state);
      if (was === undefined || (was === "down") === (state === "down")) continue;
      this.add({ kind: "state", service: name, up: state !== "down" });
    }
  }

  /** Note new events: `first` to `last`, of which the last ones are told of singly. */
  stored({ first, last, events }) {
    const many = last - first + 1;
    const singly = this.isNew && many > SINGLY ? events.slice(-TAIL) : events;
    const folded = many - singly.length;
    if (folded > 0) {
      const previous = this.list.at(-1);
      if (previous?.kind === "burst") {
        previous.last = first + folded - 1;
      } else if (previous?.kind === "event" && previous.tail) {
        // The end of the burst before is no end any more.
        const burst = this.list.findLast((row) => row.kind === "burst");
        this.list = this.list.filter((row) => row === burst || !row.tail || row.seq < burst.first);
        burst.last = first + folded - 1;
        for (const seq of [...this.events.keys()]) if (seq >= burst.first && seq <= burst.last) this.events.delete(seq);
      } else {
        this.add({ kind: "burst", first, last: first + folded - 1, heard: new Map() });
      }
    }
    for (const event of singly) {
      if (this.events.has(event.seq)) continue;
      const row = { kind: "event", seq: event.seq, event, heard: new Map(), tail: folded > 0 };
      this.add(row);
      this.events.set(event.seq, row);
    }
  }

  /** Note deliveries. */
  delivered(deliveries) {
    for (const delivery of deliveries) {
      if (delivery.replay) this.replayed(delivery);
      else this.heard(delivery);
    }
  }

  heard({ subscriber, first, last, result, error }) {
    if (result === "late" || result === "gap") return;
    for (const row of this.list) {
      const from = row.kind === "event" ? row.seq : row.first;
      const to = row.kind === "event" ? row.seq : row.last;
      if (!row.heard || to < first || from > last) continue;
      const before = row.heard.get(subscriber);
      const missed = (before?.missed ?? 0) + (result === "failed" || result === "lost" ? 1 : 0);
      row.heard.set(subscriber, { result, error, missed });
    }
  }

  replayed({ subscriber, first, last, result }) {
    const open = this.list.findLast((row) => row.kind === "replay" && row.service === subscriber);
    const since = open && this.list.indexOf(open) >= this.list.length - 6;
    if (since && open.result === result && (result === "failed" || first === open.last + 1)) {
      open.last = Math.max(last, open.last);
      open.times += 1;
    } else if (!(result === "late" || result === "gap")) {
      this.add({ kind: "replay", service: subscriber, first, last, result, times: 1 });
    }
  }

  add(row) {
    row.down = new Set([...this.states].filter(([, state]) => state === "down").map(([name]) => name));
    if (row.kind === "state" && !row.up) row.down.delete(row.service);
    if (row.kind === "state" && row.up) row.down.add(row.service);
    row.fresh = this.isNew;
    this.list.push(row);
    while (this.list.length > KEPT) {
      const gone = this.list.shift();
      if (gone.kind === "event") this.events.delete(gone.seq);
    }
  }
}

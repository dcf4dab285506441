/** The whiteboard's rows, a fold of the bus's messages. Pure: rows and a message in, rows out. */

const KEPT = 400; // rows
export const SINGLY = 12; // of more events in one message, the first ones become one row: a burst
export const TAIL = 4; // events at the end of a burst that still have a row each
const NEAR = 6; // rows: a replay whose row is further up gets a new row

/** The whiteboard before the first message. */
export const EMPTY = {
  list: [], // the rows, oldest first
  states: new Map(), // subscriber → its state
  positions: new Map(), // subscriber → its position
  live: false, // whether the messages tell what happens now; the first ones tell what happened before the page opened
  made: 0, // rows so far; a row's `number` is its place among them
};

/** Apply a message. Its kind is `live`, `subscribers`, `events` or `deliveries`; the last three are the bus's. */
export const fold = (board, kind, data) => MESSAGES[kind](board, data);

const MESSAGES = {
  /** From now on the messages tell what happens now. */
  live: (board) => ({ ...board, live: true }),

  /** The subscribers as they are now. */
  subscribers(board, { subscribers }) {
    const names = new Set(subscribers.map((subscriber) => subscriber.name));
    const states = new Map([...board.states].filter(([name]) => names.has(name)));
    const positions = new Map(subscribers.map(({ name, position }) => [name, position]));
    return subscribers.reduce(stateNow, { ...board, states, positions });
  },

  /** The events `first` to `last` are stored; `events` are the last of them. */
  events(board, { first, last, events }) {
    const single = board.live && last - first + 1 > SINGLY ? events.slice(-TAIL) : events;
    const many = last - first + 1 - single.length;
    const known = new Set(board.list.filter((row) => row.kind === "event").map((row) => row.seq));
    const rows = single
      .filter((event) => !known.has(event.seq))
      .map((event) => ({ kind: "event", seq: event.seq, event, heard: new Map(), tail: many > 0 }));
    return rows.reduce(add, many > 0 ? burst(board, first, first + many - 1) : board);
  },

  /** Deliveries that have ended, each of the events `first` to `last` to one subscriber. */
  deliveries: (board, deliveries) =>
    deliveries
      .map((delivery) => ({ ...delivery, result: resultOf(delivery, board.positions) }))
      .filter(({ result }) => result !== "late" && result !== "gap")
      .reduce((now, delivery) => (delivery.replay ? replayed : heard)(now, delivery), board),
};

/**
 * Return how a delivery ended. A subscriber that registered meanwhile (`late`) has the events if its position says so;
 * otherwise the bus delivers them again, as it does to one that asks for earlier events (`gap`). In a replay the bus may
 * do so before the position gets here: a late delivery of a replay does not count.
 */
function resultOf({ subscriber, last, result, replay }, positions) {
  const hasEvents = !replay && positions.get(subscriber) >= last;
  return result === "late" && hasEvents ? "delivered" : result;
}

/** Note a subscriber's state; add a row if it went down or came back. */
function stateNow(board, { name, state }) {
  const was = board.states.get(name);
  const now = { ...board, states: new Map(board.states).set(name, state) };
  if (was === undefined || (was === "down") === (state === "down")) return now;
  return add(now, { kind: "state", service: name, up: state !== "down" });
}

/** Fold the events `first` to `last` into the burst at the end of the board, or into a new one. */
function burst(board, first, last) {
  const end = board.list.at(-1);
  const open = end?.kind === "burst" || end?.tail ? board.list.findLast((row) => row.kind === "burst") : undefined;
  if (!open) return add(board, { kind: "burst", first, last, heard: new Map() });
  // The burst goes on, so its tail until now is no tail any more.
  const list = board.list.filter((row) => !row.tail || row.seq < open.first);
  return { ...board, list: list.map((row) => (row === open ? { ...open, last } : row)) };
}

/** Note who received these events, on the row of each. */
function heard(board, { subscriber, first, last, result, error }) {
  const list = board.list.map((row) => {
    if (!row.heard || (row.last ?? row.seq) < first || (row.first ?? row.seq) > last) return row;
    const before = row.heard.get(subscriber)?.missed ?? 0;
    const missed = before + (result === "failed" || result === "lost" ? 1 : 0);
    return { ...row, heard: new Map(row.heard).set(subscriber, { result, error, missed }) };
  });
  return { ...board, list };
}

/** Extend the subscriber's replay where it goes on, or begin a row for it. */
function replayed(board, { subscriber, first, last, result }) {
  const place = board.list.findLastIndex((row) => row.kind === "replay" && row.service === subscriber);
  const open = place >= board.list.length - NEAR ? board.list[place] : undefined;
  if (open?.result === result && (result === "failed" || first === open.last + 1)) {
    const longer = { ...open, last: Math.max(last, open.last), times: open.times + 1 };
    return { ...board, list: board.list.with(place, longer) };
  }
  return add(board, { kind: "replay", service: subscriber, first, last, result, times: 1 });
}

/** Add a row. Its `down` names who was down when it began; `fresh` rows tell what happens now. */
function add(board, row) {
  const down = new Set([...board.states].filter(([, state]) => state === "down").map(([name]) => name));
  if (row.kind === "state") {
    if (row.up) down.add(row.service);
    else down.delete(row.service);
  }
  const made = board.made + 1;
  return { ...board, made, list: [...board.list, { ...row, number: made, down, fresh: board.live }].slice(-KEPT) };
}

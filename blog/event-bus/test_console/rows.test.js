/** The whiteboard's rows, folded from messages without a browser: `node --test`. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { EMPTY, fold, SINGLY, TAIL } from "../event_bus/console/static/rows.js";

const LIVE = fold(EMPTY, "live");

const subscribers = (states) => [
  "subscribers",
  { subscribers: Object.entries(states).map(([name, state]) => ({ name, state })) },
];
const events = (first, last = first) => {
  const told = Array.from({ length: Math.min(last - first + 1, 60) }, (_, place) => last - place).reverse();
  return ["events", { first, last, events: told.map((seq) => ({ seq, type: "PostCreated", source: "/posts" })) }];
};
const delivery = (subscriber, first, last, more = {}) => [
  "deliveries",
  [{ subscriber, first, last, result: "delivered", error: null, replay: false, ...more }],
];
const replay = (subscriber, first, last, result = "delivered") =>
  delivery(subscriber, first, last, { replay: true, result });

const after = (board, ...messages) => messages.reduce((now, [kind, data]) => fold(now, kind, data), board);

/** Say each row in a few characters. */
const inShort = ({ list }) =>
  list.map((row) => {
    if (row.kind === "event") return `#${row.seq}`;
    if (row.kind === "burst") return `burst ${row.first}-${row.last}`;
    if (row.kind === "state") return `${row.service} ${row.up ? "up" : "down"}`;
    return `replay ${row.service} ${row.first}-${row.last} ${row.result} × ${row.times}`;
  });

const heardOn = (board, place) => Object.fromEntries(board.list[place].heard);

// -- events and their arrows ----------------------------------------------------------------------------------------

test("each event has a row", () => {
  assert.deepEqual(inShort(after(LIVE, events(1), events(2, 3))), ["#1", "#2", "#3"]);
});

test("an event that is sent twice has one row", () => {
  assert.deepEqual(inShort(after(LIVE, events(1, 2), events(2, 3))), ["#1", "#2", "#3"]);
});

test("a delivery is an arrow on the row of each of its events, and on no other", () => {
  const board = after(LIVE, events(1, 3), delivery("query", 2, 3));
  const arrow = { query: { result: "delivered", error: null, missed: 0 } };
  assert.deepEqual(
    [0, 1, 2].map((place) => heardOn(board, place)),
    [{}, arrow, arrow],
  );
});

test("a delivery that failed counts as missed, also after a later one has arrived", () => {
  const failed = delivery("query", 1, 1, { result: "failed", error: "no reply" });
  const board = after(LIVE, events(1), failed, failed);
  assert.deepEqual(heardOn(board, 0), { query: { result: "failed", error: "no reply", missed: 2 } });
  assert.deepEqual(heardOn(after(board, delivery("query", 1, 1)), 0), {
    query: { result: "delivered", error: null, missed: 2 },
  });
});

test("a listed subscriber that lost an event missed it", () => {
  const board = after(LIVE, events(1), delivery("query", 1, 1, { result: "lost", error: "timeout" }));
  assert.equal(heardOn(board, 0).query.missed, 1);
});

for (const result of ["late", "gap"]) {
  test(`a delivery with the result ${result} is neither an arrow nor a replay`, () => {
    const board = after(LIVE, events(1), delivery("query", 1, 1, { result }), replay("query", 1, 1, result));
    assert.deepEqual(inShort(board), ["#1"]);
    assert.deepEqual(heardOn(board, 0), {});
  });
}

const at = (position) => ["subscribers", { subscribers: [{ name: "query", state: "live", position }] }];

test("a late delivery has arrived if the subscriber's position says so", () => {
  const late = delivery("query", 1, 2, { result: "late" });
  const heard = (position) => after(LIVE, events(1, 2), at(position), late).list.map((row) => row.heard.get("query"));
  const arrow = { result: "delivered", error: null, missed: 0 };
  assert.deepEqual(heard(2), [arrow, arrow]);
  assert.deepEqual(heard(1), [undefined, undefined]);
});

test("a late delivery of a replay does not count, because the bus may have delivered its events again", () => {
  const board = after(LIVE, at(9), replay("query", 1, 9, "late"), replay("query", 1, 9));
  assert.deepEqual(inShort(board), ["replay query 1-9 delivered × 1"]);
});

// -- bursts ---------------------------------------------------------------------------------------------------------

test(`up to ${SINGLY} events at once have a row each`, () => {
  assert.equal(after(LIVE, events(1, SINGLY)).list.length, SINGLY);
});

test("of more events at once, all but the last ones become a burst", () => {
  const board = after(LIVE, events(1, SINGLY + 1));
  assert.deepEqual(inShort(board), ["burst 1-9", "#10", "#11", "#12", "#13"]);
  assert.equal(board.list.length, 1 + TAIL);
});

test("a burst that goes on takes over its tail", () => {
  const board = after(LIVE, events(1, 100), events(101, 200));
  assert.deepEqual(inShort(board), ["burst 1-196", "#197", "#198", "#199", "#200"]);
});

test("a burst after other rows is a burst of its own", () => {
  const board = after(LIVE, events(1, 100), replay("query", 1, 9), events(101, 200), events(201, 300));
  const first = ["burst 1-96", "#97", "#98", "#99", "#100"];
  const second = ["burst 101-296", "#297", "#298", "#299", "#300"];
  assert.deepEqual(inShort(board), [...first, "replay query 1-9 delivered × 1", ...second]);
});

test("a single event after a burst ends it", () => {
  const board = after(LIVE, events(1, 100), events(101), events(102, 200));
  assert.deepEqual(
    inShort(board).filter((row) => row.startsWith("burst")),
    ["burst 1-96", "burst 102-196"],
  );
});

test("a bus that keeps no events sends only numbers, which are a burst", () => {
  const numbers = (first, last) => ["events", { first, last, events: [] }];
  assert.deepEqual(inShort(after(LIVE, numbers(1, 1), numbers(2, 5))), ["burst 1-5"]);
});

test("a delivery to a burst is an arrow on it", () => {
  const board = after(LIVE, events(1, 100), delivery("query", 5, 98));
  assert.deepEqual(
    board.list.map((row) => row.heard.has("query")),
    [true, true, true, false, false],
  );
});

test("what happened before the page opened is not folded, and is not new", () => {
  const board = after(EMPTY, events(1, 60));
  assert.equal(board.list.length, 60);
  assert.ok(board.list.every((row) => !row.fresh));
  assert.ok(after(fold(board, "live"), events(61)).list.at(-1).fresh);
});

// -- replays --------------------------------------------------------------------------------------------------------

test("a replay that goes on stays one row", () => {
  const board = after(LIVE, replay("query", 1, 100), replay("query", 101, 200));
  assert.deepEqual(inShort(board), ["replay query 1-200 delivered × 2"]);
});

test("a replay from the beginning again is another row", () => {
  const board = after(LIVE, replay("query", 1, 100), replay("query", 1, 50));
  assert.deepEqual(inShort(board), ["replay query 1-100 delivered × 1", "replay query 1-50 delivered × 1"]);
});

test("two subscribers that are replayed at the same time have a row each", () => {
  const board = after(LIVE, replay("query", 1, 9), replay("posts", 1, 9), replay("query", 10, 12));
  assert.deepEqual(inShort(board), ["replay query 1-12 delivered × 2", "replay posts 1-9 delivered × 1"]);
});

test("a replay that fails again and again is counted on one row", () => {
  const board = after(LIVE, replay("query", 4, 9, "failed"), replay("query", 4, 9, "failed"), replay("query", 4, 9));
  assert.deepEqual(inShort(board), ["replay query 4-9 failed × 2", "replay query 4-9 delivered × 1"]);
});

test("a replay whose row is far up gets a new row", () => {
  const board = after(LIVE, replay("query", 1, 9), events(20, 25), replay("query", 10, 12));
  assert.equal(inShort(board).at(-1), "replay query 10-12 delivered × 1");
});

test("a replay is no arrow on the rows of its events", () => {
  assert.deepEqual(heardOn(after(LIVE, events(1), replay("query", 1, 1)), 0), {});
});

// -- states ---------------------------------------------------------------------------------------------------------

test("a service that goes down and comes back has a row for each change", () => {
  const board = after(
    LIVE,
    subscribers({ query: "live" }),
    subscribers({ query: "down" }),
    subscribers({ query: "down" }),
    subscribers({ query: "replaying" }),
    subscribers({ query: "live" }),
  );
  assert.deepEqual(inShort(board), ["query down", "query up"]);
});

test("a subscriber that is new, or has left, is no change of state", () => {
  const board = after(
    LIVE,
    subscribers({ posts: "live" }),
    subscribers({ query: "down" }),
    subscribers({ posts: "down" }),
  );
  assert.deepEqual(inShort(board), []);
});

test("a row knows who was down when it began", () => {
  const all = { posts: "live", comments: "live", query: "live" };
  const board = after(
    LIVE,
    subscribers(all),
    events(1),
    subscribers({ ...all, posts: "down", query: "down" }),
    events(2),
    subscribers({ ...all, posts: "down" }),
  );
  const down = board.list.map((row) => [...row.down].sort().join());
  assert.deepEqual(inShort(board), ["#1", "posts down", "query down", "#2", "query up"]);
  assert.deepEqual(down, ["", "", "posts", "posts,query", "posts,query"]);
});

// -- a fold ---------------------------------------------------------------------------------------------------------

test("the last 400 rows are kept, with numbers that go on", () => {
  let board = LIVE;
  for (let seq = 1; seq <= 450; seq += 1) board = after(board, events(seq));
  assert.equal(board.list.length, 400);
  assert.deepEqual([board.list[0].seq, board.list.at(-1).seq], [51, 450]);
  assert.deepEqual([board.list[0].number, board.list.at(-1).number], [51, 450]);
});

test("a message leaves the rows before it as they were", () => {
  const before = after(LIVE, subscribers({ query: "live" }), events(1, 20), replay("query", 1, 9));
  const copy = structuredClone(before);
  after(before, subscribers({ query: "down" }), events(21, 50), delivery("query", 1, 20), replay("query", 10, 12));
  assert.deepEqual(before, copy);
});

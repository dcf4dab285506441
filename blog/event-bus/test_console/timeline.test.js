/** The timeline's actions, without a browser: `node --test`. */

import assert from "node:assert/strict";
import { test } from "node:test";
import * as timeline from "../event_bus/console/static/timeline.js";

const query = { name: "query", state: "live", position: 20, paused: false };
const posts = { name: "posts", state: "live", position: 20, paused: false };

const news = (head, { logId = "a", subscribers = [posts, query] } = {}) => ({ log_id: logId, head, subscribers });
const open = (head = 20) => timeline.logArrived(timeline.START, news(head));
const openAt = (hash, head = 20) => timeline.logArrived(timeline.openAddress(timeline.START, hash), news(head));

function shows(view, expected) {
  const found = Object.fromEntries(Object.keys(expected).map((key) => [key, view[key]]));
  assert.deepEqual(found, expected);
}

// -- seeking and following --------------------------------------------------------------------------------------------

test("a new page follows the head of the log", () => {
  shows(open(20), { logId: "a", head: 20, at: 20, following: true });
});

test("a page that follows moves with the head", () => {
  shows(timeline.logArrived(open(20), news(23)), { head: 23, at: 23, following: true });
});

test("a page that looks back stays where it is when the log grows", () => {
  shows(timeline.logArrived(timeline.seek(open(20), 7), news(23)), { head: 23, at: 7, following: false });
});

test("seeking the head follows it", () => {
  shows(timeline.seek(timeline.seek(open(20), 7), 20), { at: 20, following: true });
});

for (const [to, at, following] of [
  [-3, 0, false],
  [0, 0, false],
  [21, 20, true],
]) {
  test(`seeking ${to} in a log of 20 events shows ${at}`, () => {
    shows(timeline.seek(open(20), to), { at, following });
  });
}

test("an action leaves the view before it as it was", () => {
  const before = open(20);
  const copy = structuredClone(before);
  timeline.seek(before, 7);
  timeline.toggle(before, "7*");
  timeline.controlled(before, "query", { position: 3, paused: true });
  timeline.logArrived(before, news(1, { logId: "b" }));
  assert.deepEqual(before, copy);
});

// -- the event at the position ------------------------------------------------------------------------------------------

test("an event is shown with its chain once it has loaded", () => {
  const view = timeline.eventLoaded(timeline.seek(open(20), 7), 7, { seq: 7 }, [{ seq: 7 }, { seq: 9 }]);
  shows(view, { event: { seq: 7 }, chain: [{ seq: 7 }, { seq: 9 }] });
});

test("an event that loads after the position has moved on is not shown", () => {
  const view = timeline.eventLoaded(timeline.seek(open(20), 8), 7, { seq: 7 }, [{ seq: 7 }]);
  shows(view, { at: 8, event: null, chain: [] });
});

test("an event leaves the view with its position, and its chain stays until the next one has loaded", () => {
  const view = timeline.eventLoaded(timeline.seek(open(20), 7), 7, { seq: 7 }, [{ seq: 7 }]);
  shows(timeline.seek(view, 8), { event: null, chain: [{ seq: 7 }] });
});

// -- a log that becomes another -----------------------------------------------------------------------------------------

test("another log starts a new view", () => {
  const looking = timeline.toggle(timeline.eventLoaded(timeline.seek(open(20), 7), 7, { seq: 7 }, [{ seq: 7 }]), "7*");
  const view = timeline.logArrived(looking, news(7, { logId: "b" }));
  shows(view, { logId: "b", head: 7, at: 7, following: true, skip: [], event: null, chain: [] });
});

test("another log ends a live replay", () => {
  const view = timeline.logArrived(timeline.beginReplay(open(20), 7), news(9, { logId: "b" }));
  shows(view, { at: 9, following: true, replaying: false });
});

test("another log ends the wait for a position of the old one", () => {
  const view = timeline.logArrived(openAt("#at=50"), news(60, { logId: "b" }));
  shows(view, { at: 60, following: true, wanted: null });
});

test("the service and the tab outlive the log", () => {
  const view = timeline.logArrived(timeline.showAs(timeline.choose(open(), "posts"), "json"), news(9, { logId: "b" }));
  shows(view, { service: "posts", tab: "json" });
});

// -- the variant ----------------------------------------------------------------------------------------------------

for (const [given, mark, skip] of [
  [[], "7", ["7"]],
  [[], "7*", ["7*"]],
  [["7"], "7", []],
  [["7*"], "7*", []],
  [["7*"], "7", []],
  [["7"], "7*", ["7*"]],
  [["7", "9*"], "7", ["9*"]],
  [["7"], "77", ["7", "77"]],
]) {
  test(`with [${given}] switched off, ${mark} leads to [${skip}]`, () => {
    shows(timeline.toggle({ ...open(), skip: given }, mark), { skip });
  });
}

test("an event is off by its own mark only", () => {
  const view = { ...open(), skip: ["7", "9*"] };
  assert.deepEqual(
    [7, 9, 77, 10].map((seq) => timeline.isOff(view, seq)),
    [true, true, false, false],
  );
});

test("all events are switched on again at once", () => {
  shows(timeline.allOn({ ...open(), skip: ["7", "9*"] }), { skip: [] });
});

// -- services and pods --------------------------------------------------------------------------------------------------

const pod = (name, state = "live") => ({ ...query, name, state });
const pods = (...subscribers) => timeline.logArrived(timeline.START, news(20, { subscribers }));

test("a service that only has pods is shown by the first pod that is up", () => {
  const view = pods(pod("query-depl-5d9c7b8f6-aaaaa", "down"), pod("query-depl-5d9c7b8f6-bbbbb"));
  shows(view, { service: "query-depl-5d9c7b8f6-bbbbb" });
});

test("a pod that is gone makes room for another of its service", () => {
  const before = pods(pod("query-depl-5d9c7b8f6-aaaaa"));
  const view = timeline.logArrived(before, news(21, { subscribers: [pod("query-depl-5d9c7b8f6-ccccc")] }));
  shows(view, { service: "query-depl-5d9c7b8f6-ccccc" });
});

test("a service keeps its name while no pod of it is up", () => {
  shows(pods(pod("query-depl-5d9c7b8f6-aaaaa", "down"), pod("query2-depl-5d9c7b8f6-bbbbb")), { service: "query" });
});

test("choosing a service ends the live replay of another", () => {
  shows(timeline.choose(timeline.beginReplay(open(), 3), "posts"), { service: "posts", replaying: false, at: 3 });
});

test("the chosen service is the bus's description of it, or nothing", () => {
  assert.equal(timeline.chosen(open()), query);
  assert.equal(timeline.chosen(timeline.choose(open(), "notifications")), undefined);
});

for (const [name, state, isUp] of [
  ["query", "live", true],
  ["query", "replaying", true],
  ["query", "down", false],
  ["posts", "live", false],
]) {
  test(`query ${isUp ? "can" : "cannot"} be asked while ${name} is the only subscriber, and ${state}`, () => {
    assert.equal(timeline.isUp(pods(pod(name, state))), isUp);
  });
}

// -- replaying live -----------------------------------------------------------------------------------------------------

const held = (position) => news(20, { subscribers: [posts, { ...query, position, paused: true }] });

test("a live replay leaves the variant and stops following", () => {
  const view = timeline.beginReplay(timeline.toggle(open(), "7"), 0);
  shows(view, { at: 0, replaying: true, following: false, skip: [] });
});

test("a live replay stops at the head and does not follow it", () => {
  shows(timeline.replayedTo(timeline.beginReplay(open(), 19), 20), { at: 20, replaying: true, following: false });
});

test("a live replay keeps up with a service that another page moves", () => {
  const view = timeline.logArrived(timeline.beginReplay(open(), 0), held(5));
  shows(timeline.keepUp(view), { at: 5, replaying: true });
});

test("a live replay ends when another page resumes the service", () => {
  shows(timeline.keepUp(timeline.beginReplay(open(), 5)), { at: 20, replaying: false, following: true });
});

test("a page that does not replay is not moved by a paused service", () => {
  const view = timeline.logArrived(timeline.seek(open(), 7), held(5));
  assert.equal(timeline.keepUp(view), view);
});

test("a reply to a control changes that subscriber, and only what the reply names", () => {
  const view = timeline.controlled(open(), "query", { position: 3, delivered: 1 });
  assert.deepEqual(view.subscribers, [posts, { ...query, position: 3 }]);
  assert.deepEqual(
    timeline.paused(timeline.controlled(view, "query", { paused: true })).map(({ name }) => name),
    ["query"],
  );
});

// -- the address --------------------------------------------------------------------------------------------------------

for (const hash of [
  "#service=query",
  "#service=posts&show=json",
  "#at=0&service=query",
  "#at=12&service=query&skip=7,9*&show=json",
]) {
  test(`the address ${hash} leads to a view that has this address`, () => {
    assert.equal(timeline.addressOf(openAt(hash)), hash);
  });
}

test("the address of a view leads back to it", () => {
  const view = timeline.showAs(timeline.toggle(timeline.choose(timeline.seek(open(), 12), "posts"), "9*"), "json");
  assert.deepEqual(timeline.openAddress(open(), timeline.addressOf(view)), view);
});

test("an address without a position follows the log, and its defaults are query and the blog", () => {
  shows(openAt(""), { at: 20, following: true, service: "query", skip: [], tab: "blog" });
});

test("marks, positions and tabs that are none are left out", () => {
  shows(openAt("#at=x&skip=7,,x,9**,8*&show=xml"), { following: true, skip: ["7", "8*"], tab: "blog" });
});

test("an address waits for a position that the log has not reached", () => {
  const view = openAt("#at=25", 20);
  shows(view, { at: 20, following: false, wanted: 25 });
  shows(timeline.logArrived(view, news(26)), { at: 25, following: false, wanted: null });
});

test("seeking ends the wait for a position", () => {
  shows(timeline.logArrived(timeline.seek(openAt("#at=25", 20), 3), news(26)), { at: 3, wanted: null });
});

/** Names of pods, and types of events in colours and words: `node --test`. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { colourOf, summaryOf } from "../event_bus/console/static/event-types.js";
import { isPod, serviceOf, shortName } from "../event_bus/console/static/names.js";

const POD = "query-depl-5d9c7b8f6-x2abc";

test("a pod's name tells its service", () => {
  assert.deepEqual([POD, "query", "event-bus"].map(isPod), [true, false, false]);
  assert.deepEqual([POD, "query"].map(serviceOf), ["query", "query"]);
});

test("a pod is shortened to its service, with its last part where the service has several pods", () => {
  assert.equal(shortName(POD, [POD, "posts"]), "query");
  assert.equal(shortName(POD, [POD, "query-depl-5d9c7b8f6-y3def"]), "query-x2abc");
  assert.equal(shortName("notifications", ["notifications"]), "notifications");
});

test("the blog's types have a colour each, and a type has the same colour always", () => {
  const blog = ["PostCreated", "CommentCreated", "CommentModerated", "CommentUpdated"].map(colourOf);
  assert.deepEqual(blog, ["type-0", "type-1", "type-2", "type-3"]);
  assert.match(colourOf("PageTurned"), /^type-[4-7]$/);
  assert.equal(colourOf("PageTurned"), colourOf("PageTurned"));
});

for (const [type, data, words] of [
  ["PostCreated", { id: "a", title: "Fruit" }, "Fruit"],
  ["CommentCreated", { id: "a", content: "An apple", status: "pending" }, "An apple"],
  ["CommentModerated", { content: "An apple", status: "approved" }, "approved: An apple"],
  ["PageTurned", { page: 7, book: "Emma" }, "Emma"],
  ["PageTurned", { page: 7 }, ""],
  ["PageTurned", "seven", "seven"],
  ["PageTurned", null, "null"],
  ["PageTurned", undefined, ""],
]) {
  test(`${type} with ${JSON.stringify(data)} is “${words}”`, () => {
    assert.equal(summaryOf({ type, data }), words);
  });
}

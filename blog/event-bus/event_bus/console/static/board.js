/** The whiteboard: a lifeline for each service, time running down. Each change draws it again from its rows. */

import { element, find, shape } from "./dom.js";
import { colourOf } from "./event-types.js";
import { known } from "./events.js";
import { serviceOf, shortName } from "./names.js";
import { view } from "./view.js";

const HEIGHTS = { event: 54, burst: 58, replay: 44, state: 30 };
const ORDER = ["posts", "comments", "query", "moderation"];
const BOX = { width: 44, height: 20, letter: 9.5 };

/** Return how wide a box with these words is. */
const widthOf = (words) => Math.max(BOX.width, BOX.letter * words.length + 6);

const picture = find("#picture");
const heads = find("#heads");
let shown = ""; // the heads on the page
let animated = 0; // the number of the last row that was drawn: only new rows are animated

/** Draw as many rows as there is room for: the last ones, or those around the position. */
export function draw(rows, openSubscriber) {
  const columns = columnsOf(view.subscribers);
  drawHeads(columns, openSubscriber);
  const { width, height } = picture.getBoundingClientRect();
  if (!width) return;
  const x = new Map(columns.map((name, index) => [name, ((index + 0.5) * width) / columns.length]));
  const [visible, isKept] = choose(rows, height);
  const chain = new Set(view.following ? [] : view.chain.map((event) => event.seq));
  // An event names the service that published it, not the pod: the arrow begins at the service's first pod.
  for (const name of columns) if (!x.has(serviceOf(name))) x.set(serviceOf(name), x.get(name));
  picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const drawing = [];
  const tops = [];
  let y = 6;
  for (const row of visible) {
    tops.push([row, y, y + HEIGHTS[row.kind]]);
    y += HEIGHTS[row.kind];
  }
  for (const name of columns) drawing.push(...lifeline(name, x.get(name), tops, height));
  for (const [row, top, bottom] of tops) {
    const current = row.kind === "event" && row.seq === view.at && !view.following;
    if (current) {
      drawing.push(
        shape("rect", { class: "current", x: 2, y: top, width: width - 4, height: bottom - top - 2, rx: 6 }),
      );
    }
    const group = shape("g", { class: classOf(row, chain) });
    group.append(...DRAW[row.kind](row, top, x));
    drawing.push(group);
  }
  animated = rows.at(-1)?.number ?? 0;
  if (!view.head) drawing.push(text(width / 2, 40, "No events yet. Write a post, and watch.", "quiet"));
  if (!isKept)
    drawing.push(text(width / 2, height - 8, "Delivery details are no longer kept for these events.", "quiet"));
  picture.replaceChildren(...drawing);
}

/** Return the names of the columns: the bus in the middle, its subscribers on both sides. */
function columnsOf(subscribers) {
  const rank = (name) => ORDER.indexOf(serviceOf(name)) + 1 || ORDER.length + 1;
  const names = subscribers.map((subscriber) => subscriber.name).sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  names.splice(Math.ceil(names.length / 2), 0, "bus");
  return names;
}

function drawHeads(columns, openSubscriber) {
  const facts = columns.map((name) => {
    const subscriber = view.subscribers.find((one) => one.name === name);
    return subscriber ? [name, subscriber.state, `#${subscriber.position}`] : [name, "bus", `#${view.head}`];
  });
  const now = JSON.stringify(facts);
  if (now === shown) return;
  shown = now;
  const focused = document.activeElement?.dataset?.name;
  heads.replaceChildren(
    ...facts.map(([name, state, place]) => {
      const short = shortName(name, columns);
      const title = element("b", {}, short);
      title.style.setProperty("--width", widthInEm(short));
      const inside = [title, element("span", { class: "place" }, state === "bus" ? "event bus" : `${state} ${place}`)];
      if (state === "bus") return element("div", { class: "head bus" }, ...inside);
      return element(
        "button",
        {
          class: "head",
          "data-name": name,
          "data-state": state,
          title: `Open the controls of ${name}`,
          onclick: () => openSubscriber(name),
        },
        ...inside,
      );
    }),
  );
  if (focused) heads.querySelector(`[data-name="${CSS.escape(focused)}"]`)?.focus();
}

/** Return how wide a name is in bold, in em. */
function widthInEm(name) {
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = "bold 100px system-ui, sans-serif";
  return pen.measureText(name).width / 100;
}

/** Choose the rows that fit, down to the last one or a little below the position: `[rows, are they still kept]`. */
function choose(rows, height) {
  let list = rows;
  let end = list.length;
  let isKept = true;
  if (!view.following && view.at > 0) {
    let place = list.findLastIndex((row) => row.kind === "event" && row.seq === view.at);
    if (place < 0) {
      list = fromTheLog();
      place = list.findLastIndex((row) => row.seq === view.at);
      isKept = false;
    }
    end = Math.min(list.length, place + 4);
  }
  let start = end;
  let room = height - 26;
  while (start > 0 && room >= HEIGHTS[list[start - 1].kind]) room -= HEIGHTS[list[--start].kind];
  return [list.slice(start, end), isKept];
}

/** Return rows of the events around the position, without deliveries: the page no longer keeps those. */
function fromTheLog() {
  const made = [];
  for (let seq = Math.max(1, view.at - 12); seq <= Math.min(view.head, view.at + 3); seq += 1) {
    const event = known(seq);
    if (event) made.push({ kind: "event", seq, event, heard: new Map(), down: new Set() });
  }
  return made;
}

function classOf(row, chain) {
  const lit = row.kind === "event" && chain.has(row.seq) ? " lit" : "";
  const dim = row.kind === "event" && chain.size > 1 && !chain.has(row.seq) ? " dim" : "";
  const later = !view.following && (row.seq ?? row.first) > view.at && row.kind !== "replay" ? " later" : "";
  return `row ${row.kind}${lit}${dim}${later}${row.fresh && row.number > animated ? " fresh" : ""}`;
}

/** Draw a lifeline in pieces: red while its service was down. */
function lifeline(name, x, tops, height) {
  if (name === "bus") return [shape("line", { class: "life bus", x1: x, x2: x, y1: 0, y2: height })];
  const pieces = [];
  let from = 0;
  let down = tops.length ? tops[0][0].down.has(name) : false;
  const piece = (to) => {
    if (to > from) pieces.push(shape("line", { class: `life${down ? " down" : ""}`, x1: x, x2: x, y1: from, y2: to }));
    from = to;
  };
  for (const [row, top] of tops) {
    if (row.down.has(name) !== down) {
      piece(top + (row.kind === "state" ? HEIGHTS.state / 2 : 0));
      down = row.down.has(name);
    }
  }
  const now = view.subscribers.find((one) => one.name === name)?.state === "down";
  if (now !== down && view.following) {
    const last = tops.at(-1);
    piece(last ? (last[0].kind === "state" ? last[1] + HEIGHTS.state / 2 : last[2]) : 0);
    down = now;
  }
  piece(height);
  return pieces;
}

const DRAW = {
  event(row, top, x) {
    const bus = x.get("bus");
    // An event of a publisher that is no subscriber comes from the left edge.
    const source = x.get(row.event.source.replace(/^\//, "")) ?? 4;
    const y = top + 25;
    const colour = colourOf(row.event.type);
    const side = source < bus ? -1 : 1;
    const name = `#${row.seq}`;
    const end = bus + (side * widthOf(name)) / 2;
    const drawn = [];
    drawn.push(arrow(source, top + 17, end, y, `publish ${colour}`));
    drawn.push(...fan(row, x, y, widthOf(name)));
    drawn.push(box(bus, y, name, colour));
    const label = text((source + end) / 2, top + 11, row.event.type, "label");
    if (Math.abs(source - end) < 120) {
      label.setAttribute("x", side < 0 ? end - 4 : end + 4);
      label.setAttribute("text-anchor", side < 0 ? "end" : "start");
    }
    drawn.push(label);
    return drawn;
  },

  burst(row, top, x) {
    const bus = x.get("bus");
    const y = top + 27;
    const words = `× ${row.last - row.first + 1}`;
    const width = widthOf(words);
    return [
      ...fan(row, x, y, width),
      box(bus + 5, y - 5, "", "stack", width),
      box(bus + 2.5, y - 2.5, "", "stack", width),
      box(bus, y, words, "many", width),
      text(bus, top + 10, `#${row.first} to #${row.last}`, "label"),
    ];
  },

  replay(row, top, x) {
    const bus = x.get("bus");
    const to = x.get(row.service);
    if (to === undefined) return [];
    const y = top + 16;
    const failed = row.result === "failed" || row.result === "refused";
    const range = row.first === row.last ? `#${row.first}` : `#${row.first} to #${row.last}`;
    const side = to < bus ? -1 : 1;
    const drawn = [
      box(bus + 5, y - 5, "", "stack"),
      box(bus + 2.5, y - 2.5, "", "stack"),
      box(bus, y, "store", "store"),
      arrow(bus + (side * BOX.width) / 2, y, to, y + 14, `replay${failed ? " missed" : ""}`),
      text(bus - side * (BOX.width / 2 + 12), y + 5, `replay ${range}`, "label", side < 0 ? "start" : "end"),
    ];
    if (failed) drawn.push(cross(to, y + 14, row.result));
    return drawn;
  },

  state(row, top, x) {
    const at = x.get(row.service);
    if (at === undefined) return [];
    const words = row.up ? "is back" : "is down";
    return [text(at, top + 20, words, row.up ? "up" : "gone")];
  },
};

/** Draw an arrow from the bus for each delivery, and a cross where it did not arrive. */
function fan(row, x, y, width) {
  const bus = x.get("bus");
  const drawn = [];
  for (const [name, { result, error, missed }] of row.heard) {
    const to = x.get(name);
    if (to === undefined) continue;
    const start = bus + (Math.sign(to - bus) * width) / 2;
    const arrived = result === "delivered" || result === "listed";
    drawn.push(arrow(start, y + 4, to, y + 24, arrived ? "deliver" : "deliver missed"));
    if (!arrived || missed) drawn.push(cross(to, y + 24, error ?? result, arrived));
  }
  return drawn;
}

function arrow(x1, y1, x2, y2, kind) {
  const angle = Math.atan2(y2 - y1, x2 - x1);
  const point = (turn) => `${x2 - 9 * Math.cos(angle + turn)},${y2 - 9 * Math.sin(angle + turn)}`;
  return shape(
    "g",
    { class: `arrow ${kind}` },
    shape("line", { x1, y1, x2: x2 - 5 * Math.cos(angle), y2: y2 - 5 * Math.sin(angle), pathLength: 1 }),
    shape("polygon", { points: `${x2},${y2} ${point(0.42)} ${point(-0.42)}` }),
  );
}

function cross(x, y, why, small = false) {
  const r = small ? 4 : 7;
  return shape(
    "g",
    { class: "cross" },
    shape("title", {}, `did not arrive: ${why}`),
    shape("line", { x1: x - r, y1: y - r, x2: x + r, y2: y + r }),
    shape("line", { x1: x - r, y1: y + r, x2: x + r, y2: y - r }),
  );
}

function box(x, y, words, kind, width = widthOf(words)) {
  const { height } = BOX;
  return shape(
    "g",
    { class: `box ${kind}` },
    shape("rect", { x: x - width / 2, y: y - height / 2, width, height, rx: 4 }),
    text(x, y + 5, words, ""),
  );
}

function text(x, y, words, kind, anchor = "middle") {
  return shape("text", { x, y, class: kind, "text-anchor": anchor }, words);
}

/** The console: one stream from the bus, one view, and the parts of the page that show it. */

import * as board from "./board.js";
import * as controls from "./controls.js";
import * as detail from "./detail.js";
import { askForToken } from "./dialogs.js";
import { element, find } from "./dom.js";
import { forgetEvents, load } from "./events.js";
import * as list from "./list.js";
import * as moment from "./moment.js";
import * as replay from "./replay.js";
import { Rows } from "./rows.js";
import * as strip from "./strip.js";
import "./transport.js";
import { change, chosen, onChange, readAddress, takeHead, view } from "./view.js";

const RECONNECT = 1_000; // milliseconds

let rows = new Rows();
let chain = null; // the numbers of the events in the chosen one's chain
let connected = false;
let due = false;

/** Draw the whiteboard with the next frame, however much comes until then. */
function drawBoard() {
  if (due) return;
  due = true;
  requestAnimationFrame(() => {
    due = false;
    board.draw(rows, view.following ? null : chain, controls.open);
  });
}

/** Follow the bus, and come back whenever the line breaks. */
function follow() {
  const source = new EventSource("/whiteboard");
  source.addEventListener("open", () => {
    rows = new Rows();
    connected = true;
    replay.trouble(null);
    setTimeout(() => (rows.isNew = true), 500);
  });
  source.addEventListener("subscribers", (message) => {
    const news = JSON.parse(message.data);
    rows.subscribers(news.subscribers);
    if (news.log !== view.log) {
      forgetEvents();
      strip.refresh(true);
    } else if (news.head !== view.head) {
      strip.refresh();
    }
    view.subscribers = news.subscribers;
    takeHead(news.log, news.head);
    replay.notice();
  });
  source.addEventListener("events", (message) => {
    rows.stored(JSON.parse(message.data));
    drawBoard();
  });
  source.addEventListener("deliveries", (message) => {
    rows.delivered(JSON.parse(message.data));
    drawBoard();
  });
  source.addEventListener("error", async () => {
    source.close();
    connected = false;
    // A stream does not say why it broke: the bus is away, or wants its token.
    const refused = await fetch("/subscribers").then((answer) => answer.status === 401, () => false);
    showMode();
    if (refused) {
      askForToken();
      return;
    }
    replay.trouble("The event bus is away. This page finds it again by itself.");
    setTimeout(follow, RECONNECT);
  });
}

function showMode() {
  const mode = find("#mode");
  const held = replay.held();
  const [kind, words] = !connected
    ? ["away", "Not connected"]
    : view.replaying
      ? ["replay", `Replaying live: the blog shows ${view.service} at #${view.at} of ${view.head}`]
      : view.following
        ? ["live", `Live: following the log at #${view.head}`]
        : ["look", `Look back at #${view.at} of ${view.head}: nothing that runs is touched`];
  mode.dataset.mode = kind;
  if (mode.textContent !== words) mode.textContent = words;
  document.body.dataset.mode = kind;
  find("#put-back").hidden = !held.length;
  find("#put-back").textContent = view.replaying
    ? "Put everything back"
    : held.length === 1
      ? `${held[0].name} is held at #${held[0].position}: put it back`
      : `${held.length} services are held: let them go on`;
  find("#replay-live").hidden = view.replaying;
  find("#replay-live").disabled = !chosen();
}

function showServices() {
  const select = find("#service");
  const names = view.subscribers.map((subscriber) => subscriber.name);
  if (!names.includes(view.service)) names.push(view.service);
  if ([...select.options].map((option) => option.value).join() !== names.join()) {
    select.replaceChildren(...names.map((name) => element("option", { value: name }, name)));
  }
  select.value = view.service;
}

/** A story has its title in its first event. */
async function showStory() {
  const first = view.head ? await load(1, view.head).catch(() => null) : null;
  find("#board-title").textContent = first?.story ?? "Whiteboard";
}

async function showEvent() {
  const found = await detail.show().catch(() => null); // the bus is away: the line above says so
  if (!found) return;
  chain = found;
  list.draw(chain);
  find("#what").textContent = view.event?.type ?? "";
  moment.showHandler();
  drawBoard();
}

onChange((was) => {
  showMode();
  showServices();
  strip.draw();
  find("#position").textContent = `#${view.at} of ${view.head}`;
  const moved = was.at !== view.at || was.log !== view.log;
  const skipped = was.skip !== view.skip;
  if (was.head !== view.head) list.grown();
  if (was.log !== view.log || !was.head !== !view.head) showStory();
  if (moved) list.showPosition();
  list.draw();
  drawBoard();
  controls.show();
  if (was.tab !== view.tab) moment.render();
  for (const tab of ["blog", "json"]) find(`#show-${tab}`).setAttribute("aria-pressed", String(view.tab === tab));
  const back = stateOf(was.subscribers, view.service) === "down" && chosen()?.state !== "down";
  if (moved || skipped) showEvent();
  if (moved || skipped || back || was.service !== view.service) moment.show();
});

const stateOf = (subscribers, name) => subscribers.find((one) => one.name === name)?.state;

find("#service").addEventListener("change", (event) => change({ service: event.target.value, replaying: false }));
find("#show-blog").addEventListener("click", () => change({ tab: "blog" }));
find("#show-json").addEventListener("click", () => change({ tab: "json" }));
find("#replay-live").addEventListener("click", replay.begin);
find("#put-back").addEventListener("click", replay.putBack);
addEventListener("hashchange", readAddress);
new ResizeObserver(drawBoard).observe(find("#picture"));

readAddress();
follow();

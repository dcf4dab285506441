/** The console: wires the bus's stream and the view to the modules that draw. */

import * as board from "./board.js";
import * as controls from "./controls.js";
import * as detail from "./detail.js";
import { askForToken } from "./dialogs.js";
import { element, find } from "./dom.js";
import { forgetEvents, load } from "./events.js";
import * as header from "./header.js";
import * as list from "./list.js";
import * as moment from "./moment.js";
import * as replay from "./replay.js";
import { EMPTY, fold } from "./rows.js";
import { follow } from "./stream.js";
import * as strip from "./strip.js";
import { choose, isUp, logArrived, showAs } from "./timeline.js";
import "./transport.js";
import { act, onChange, readAddress, view } from "./view.js";

let whiteboard = EMPTY;
let connected = false;
let due = false;

/** Draw the whiteboard with the next frame, once for all that arrives until then. */
function drawBoard() {
  if (due) return;
  due = true;
  requestAnimationFrame(() => {
    due = false;
    board.draw(whiteboard.list, controls.open);
  });
}

function logNews(news) {
  const isOther = news.log_id !== view.logId;
  if (isOther) forgetEvents();
  if (isOther || news.head !== view.head) strip.refresh(list.offerTypes, isOther);
  act(logArrived, news);
  replay.notice();
}

follow({
  open() {
    whiteboard = EMPTY;
    connected = true;
    header.trouble(null);
  },
  message(kind, data) {
    whiteboard = fold(whiteboard, kind, data);
    if (kind === "subscribers") logNews(data);
    else drawBoard();
  },
  broken(unauthorized) {
    connected = false;
    header.draw(connected);
    if (unauthorized) askForToken();
    else header.trouble("The event bus is away. This page reconnects by itself.");
  },
});

function drawServices() {
  const select = find("#service");
  const names = view.subscribers.map((subscriber) => subscriber.name);
  if (!names.includes(view.service)) names.push(view.service);
  if ([...select.options].map((option) => option.value).join() !== names.join()) {
    select.replaceChildren(...names.map((name) => element("option", { value: name }, name)));
  }
  select.value = view.service;
}

/** Show the title of the story, which is in the first event. */
async function drawTitle() {
  const first = view.head ? await load(1, view.head).catch(() => null) : null;
  find("#board-title").textContent = first?.story ?? "Whiteboard";
}

onChange((was) => {
  const moved = was.at !== view.at || was.logId !== view.logId;
  const skipped = was.skip !== view.skip;
  header.draw(connected);
  drawServices();
  strip.draw();
  find("#position").textContent = `#${view.at} of ${view.head}`;
  if (view.event || view.at === 0) find("#what").textContent = view.event?.type ?? "";
  if (was.head !== view.head) list.grown();
  if (was.logId !== view.logId || !was.head !== !view.head) drawTitle();
  if (moved) list.showPosition();
  list.draw();
  if (moved || skipped || was.event !== view.event) detail.draw();
  drawBoard();
  controls.draw();
  if (was.tab !== view.tab) moment.draw();
  for (const tab of ["blog", "json"]) find(`#show-${tab}`).setAttribute("aria-pressed", String(view.tab === tab));
  const isBack = isUp(view) && !isUp(was);
  if (moved || skipped || isBack || was.service !== view.service) moment.show();
});

find("#service").addEventListener("change", (event) => act(choose, event.target.value));
find("#show-blog").addEventListener("click", () => act(showAs, "blog"));
find("#show-json").addEventListener("click", () => act(showAs, "json"));
find("#replay-live").addEventListener("click", replay.begin);
find("#put-back").addEventListener("click", replay.putBack);
addEventListener("hashchange", readAddress);
new ResizeObserver(drawBoard).observe(find("#picture"));

readAddress();

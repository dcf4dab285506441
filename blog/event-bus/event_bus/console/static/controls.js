/** The controls of one subscriber: its facts, what can be done to it, and the bus's reply. */

import { ask, Refused } from "./api.js";
import { confirm } from "./dialogs.js";
import { element, find } from "./dom.js";
import { view } from "./view.js";

const dialog = find("#subscriber");
let name = null;

/** Open the controls of this subscriber. */
export function open(which) {
  name = which;
  find("#subscriber-answer").textContent = "";
  draw();
  dialog.showModal();
}

/** Show the subscriber as it is now. */
export function draw() {
  const subscriber = view.subscribers.find((one) => one.name === name);
  if (!subscriber) return;
  find("#subscriber-title").textContent = name;
  const facts = {
    state: subscriber.state,
    position: `#${subscriber.position} of ${view.head}`,
    lag: `${subscriber.lag} events`,
    mode: subscriber.mode,
    address: subscriber.url,
    "last error": subscriber.last_error ?? "none",
    parked: subscriber.parked.length ? subscriber.parked.map((seq) => `#${seq}`).join(", ") : "none",
  };
  find("#subscriber-facts").replaceChildren(
    ...Object.entries(facts).map(([fact, value]) =>
      element("div", {}, element("dt", {}, fact), element("dd", {}, value)),
    ),
  );
  const place = find("#subscriber-actions");
  const actions = subscriber.paused ? WHILE_PAUSED : WHILE_RUNNING;
  const labels = Object.keys(actions).join();
  if (place.dataset.labels === labels) return; // a new button would not have the focus
  place.dataset.labels = labels;
  place.replaceChildren(...Object.entries(actions).map(([label, run]) => element("button", { onclick: run }, label)));
}

const pause = () => control("PATCH", "", { paused: true }, (now) => `Paused at #${now.position}.`);
const resume = () => control("PATCH", "", { paused: false }, (now) => `Resumed at #${now.position} of ${view.head}.`);
const step = () =>
  control("POST", "/step", { count: 1 }, (now) => `${now.delivered} delivered; the position is #${now.position}.`);

async function rewind() {
  const text = `${name} forgets its state and is replayed. Readers of the blog may see that. No event is lost.`;
  if (await confirm(`Replay ${name} from the beginning?`, text, "Replay it")) {
    await control("POST", "/rewind", { to: 0 }, (now) => `Rewound; it is ${now.state} at #${now.position}.`);
  }
}

const WHILE_RUNNING = { "Pause it here": pause, "Replay from the beginning": rewind };
const WHILE_PAUSED = { "Resume it": resume, "Deliver one event": step, "Replay from the beginning": rewind };

async function control(method, where, body, inWords) {
  const answer = find("#subscriber-answer");
  answer.textContent = "…";
  try {
    const { data } = await ask(`/subscribers/${encodeURIComponent(name)}${where}`, { method, body });
    answer.textContent = inWords(data);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    answer.textContent = error.message;
  }
}

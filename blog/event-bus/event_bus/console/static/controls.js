/** One subscriber: how it is, and what can be done to it. The bus's answer is shown. */

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
  show();
  dialog.showModal();
}

/** Show how it is now. */
export function show() {
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
    ...Object.entries(facts).map(([fact, value]) => element("div", {}, element("dt", {}, fact), element("dd", {}, value))),
  );
  const place = find("#subscriber-actions");
  const actions = subscriber.paused
    ? [["Let it go on to the end", resume], ["Deliver one event", step], ["Replay from the beginning", rewind]]
    : [["Hold it here", pause], ["Replay from the beginning", rewind]];
  const words = JSON.stringify(actions.map(([label]) => label));
  if (place.dataset.words === words) return; // the focus stays where it is
  place.dataset.words = words;
  place.replaceChildren(...actions.map(([label, act]) => element("button", { onclick: act }, label)));
}

const pause = () => tell("PATCH", "", { paused: true }, (now) => `Held at #${now.position}.`);
const resume = () => tell("PATCH", "", { paused: false }, (now) => `Goes on from #${now.position} to #${view.head}.`);
const step = () => tell("POST", "/step", { count: 1 }, (now) => `${now.delivered} delivered; it is at #${now.position}.`);

async function rewind() {
  const text = "It forgets everything and is replayed. Readers of the blog may see that for a moment; nothing is lost.";
  if (await confirm(`Replay ${name} from the beginning?`, text, "Replay it")) {
    await tell("POST", "/rewind", { to: 0 }, (now) => `Sent back; it is ${now.state} at #${now.position}.`);
  }
}

async function tell(method, where, body, inWords) {
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

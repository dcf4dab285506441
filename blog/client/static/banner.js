/** The banner: which services are away, and what that means for the person at the page. */

const banner = document.querySelector("#banner");
const PATIENCE = 1_000; // milliseconds: a catching up that is over sooner is not worth a word

const QUERY_AWAY = "Query is away: the page shows what it knew. It catches up when query is back.";
const BUS_AWAY = "The event bus is away: reading works, writing has to wait.";
const WORDS = {
  posts: { down: "Posts is away: new posts have to wait." },
  comments: {
    down: "Comments is away: new comments have to wait.",
    paused: "Comments is paused: what moderation says has to wait.",
  },
  moderation: {
    down: "Moderation is away: new comments wait for it.",
    paused: "Moderation is paused: new comments wait for it.",
  },
};

let status = null;
let patience = null; // runs out while query replays
let slow = false;

/** The stream broke: query is away, and nothing is known of the others. */
export function queryAway() {
  status = null;
  show([QUERY_AWAY]);
}

/** The stream is open. What else is away comes as a status. */
export function queryBack() {
  show([]);
}

/** Query told how the bus and the services are. */
export function showStatus(news) {
  status = news;
  if (status.state !== "replaying") {
    clearTimeout(patience);
    patience = null;
    slow = false;
  } else {
    patience ??= setTimeout(() => {
      slow = true;
      if (status) show(linesOf(status));
    }, PATIENCE);
  }
  show(linesOf(status));
}

function linesOf({ bus, state, position, head, services }) {
  const lines = [];
  if (bus === "down") lines.push(BUS_AWAY);
  else if (state === "down") lines.push(`The event bus cannot reach query: it stays at ${position} of ${head}.`);
  if (state === "paused") lines.push(`Query is paused at ${position} of ${head}.`);
  if (state === "replaying" && slow) lines.push(`Query is catching up: ${position} of ${head}.`);
  // A service that the bus has not heard of since it started is unknown, not away.
  for (const [name, words] of Object.entries(WORDS)) {
    const state = bestOf(services, name);
    if (state in words) lines.push(words[state]);
  }
  return lines;
}

// Several pods of one service (`comments-7d9f`) are as well as the best of them.
function bestOf(services, name) {
  const states = Object.keys(services)
    .filter((one) => one === name || one.startsWith(`${name}-`))
    .map((one) => services[one]);
  return ["live", "replaying", "paused", "down"].find((state) => states.includes(state));
}

function show(lines) {
  const shown = Array.from(banner.children, (line) => line.textContent);
  if (shown.join("\n") === lines.join("\n")) return; // said once is enough
  banner.replaceChildren(...lines.map((text) => Object.assign(document.createElement("p"), { textContent: text })));
  // It lies over the foot of the page, where it moves nothing; but never over what is being typed.
  document.documentElement.style.scrollPaddingBottom = `${banner.offsetHeight + 24}px`;
  const form = document.activeElement?.closest("form");
  if (form && form.getBoundingClientRect().top < innerHeight) form.scrollIntoView({ block: "nearest" });
}

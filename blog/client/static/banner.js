/** The banner: which services are away, and what that means for a reader and a writer. */

const banner = document.querySelector("#banner");
const PATIENCE = 1_000; // milliseconds: a shorter replay of query is not shown

const QUERY_AWAY = "Query is away: the page shows the posts that it has. New ones appear when query is back.";
const BUS_AWAY = "The event bus is away: you can read, but not write.";
const WORDS = {
  posts: { down: "Posts is away: you cannot write posts." },
  comments: {
    down: "Comments is away: you cannot write comments.",
    paused: "Comments is paused: verdicts appear later.",
  },
  moderation: {
    down: "Moderation is away: new comments stay pending.",
    paused: "Moderation is paused: new comments stay pending.",
  },
};

let status = null;
let patience = null; // the timer of a replay of query
let slow = false;

/** The stream broke: query is away, and the page does not know how the other services are. */
export function queryAway() {
  status = null;
  show([QUERY_AWAY]);
}

/** The stream is open. Query sends the status of the other services next. */
export function queryBack() {
  show([]);
}

/** Show the status of the bus and the services, as query has sent it. */
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
  else if (state === "down") lines.push(`The event bus cannot reach query, so query stays at ${position} of ${head}.`);
  if (state === "paused") lines.push(`Query is paused at ${position} of ${head}.`);
  if (state === "replaying" && slow) lines.push(`Query is catching up: ${position} of ${head}.`);
  // A service that has not registered since the bus started is unknown, not away.
  for (const [name, words] of Object.entries(WORDS)) {
    const state = bestOf(services, name);
    if (state in words) lines.push(words[state]);
  }
  return lines;
}

// Of several pods of one service (`comments-7d9f`), the best state counts.
function bestOf(services, name) {
  const states = Object.keys(services)
    .filter((one) => one === name || one.startsWith(`${name}-`))
    .map((one) => services[one]);
  return ["live", "replaying", "paused", "down"].find((state) => states.includes(state));
}

function show(lines) {
  const shown = Array.from(banner.children, (line) => line.textContent);
  if (shown.join("\n") === lines.join("\n")) return; // a screen reader reads each change aloud
  banner.replaceChildren(...lines.map((text) => Object.assign(document.createElement("p"), { textContent: text })));
  // The banner covers the foot of the page, and so moves nothing. It must not cover the field that has the focus.
  document.documentElement.style.scrollPaddingBottom = `${banner.offsetHeight + 24}px`;
  const form = document.activeElement?.closest("form");
  if (form && form.getBoundingClientRect().top < innerHeight) form.scrollIntoView({ block: "nearest" });
}

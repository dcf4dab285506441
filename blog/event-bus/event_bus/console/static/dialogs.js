/** The dialogs: a question, the token, and the buttons that close them. */

import { ask, Refused, whenTokenIsNeeded } from "./api.js";
import { find } from "./dom.js";

/** Ask for confirmation; return whether the answer was yes. */
export function confirm(title, text, yes) {
  find("#ask-title").textContent = title;
  find("#ask-text").textContent = text;
  find("#ask-yes").textContent = yes;
  const dialog = find("#ask");
  dialog.showModal();
  return new Promise((resolve) => {
    const end = (answer) => {
      dialog.close();
      resolve(answer);
    };
    find("#ask-yes").onclick = () => end(true);
    find("#ask-no").onclick = () => end(false);
    dialog.oncancel = () => resolve(false);
  });
}

for (const button of document.querySelectorAll("dialog .close")) {
  button.addEventListener("click", () => button.closest("dialog").close());
}

/** Ask for the token, unless its dialog is open already. */
export function askForToken() {
  const dialog = find("#enter");
  if (!dialog.open) dialog.showModal();
}
whenTokenIsNeeded(askForToken);

find("#enter form").addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    await ask("/session", { method: "POST", body: { token: find("#token").value } });
    location.reload();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    find("#token-error").textContent = error.message;
  }
});

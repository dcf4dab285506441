/** Forms: send a text once, and keep the text if that fails. */

import { Refusal } from "./api.js";

/** Send the text of this form's one field; return the answer, or undefined without one. */
export async function submit(form, send) {
  if (form.getAttribute("aria-busy") === "true") return; // the second of two quick Enter keys
  const field = form.querySelector("input");
  const error = form.querySelector(".error");
  const typed = field.value;

  setBusy(form, true);
  error.textContent = "";
  field.removeAttribute("aria-invalid");
  try {
    const answer = await send(typed);
    if (field.value === typed) field.value = ""; // the writer has not begun the next text
    return answer;
  } catch (problem) {
    if (!(problem instanceof Refusal)) throw problem;
    error.textContent = problem.message;
    form.scrollIntoView({ block: "nearest" });
    if (problem.invalid) field.setAttribute("aria-invalid", "true");
  } finally {
    setBusy(form, false);
    // A disabled button loses the focus. The field gets it, unless the writer has moved it to another element.
    if (document.activeElement === document.body || form.contains(document.activeElement)) field.focus();
  }
}

function setBusy(form, busy) {
  form.setAttribute("aria-busy", busy);
  form.querySelector("button").disabled = busy;
}

/** Forms: send a text once, and lose nothing where that fails. */

import { Refusal } from "./api.js";

/** Send what stands in this form's one field; return the answer, or undefined where there is none to show. */
export async function submit(form, send) {
  if (form.getAttribute("aria-busy") === "true") return; // Enter, pressed twice
  const field = form.querySelector("input");
  const error = form.querySelector(".error");
  const typed = field.value;

  setBusy(form, true);
  error.textContent = "";
  field.removeAttribute("aria-invalid");
  try {
    const answer = await send(typed);
    if (field.value === typed) field.value = ""; // or else the next text is being typed already
    return answer;
  } catch (problem) {
    if (!(problem instanceof Refusal)) throw problem;
    error.textContent = problem.message;
    form.scrollIntoView({ block: "nearest" });
    if (problem.invalid) field.setAttribute("aria-invalid", "true");
  } finally {
    setBusy(form, false);
    // A disabled button loses the focus. Give it to the field, unless the person has gone elsewhere.
    if (document.activeElement === document.body || form.contains(document.activeElement)) field.focus();
  }
}

function setBusy(form, busy) {
  form.setAttribute("aria-busy", busy);
  form.querySelector("button").disabled = busy;
}

/** Make elements. Text from people goes in as text, and only as text. */

const SVG = "http://www.w3.org/2000/svg";

/** Make an element with these attributes and children; `on…` attributes are listeners. */
export function element(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same, for a drawing. */
export function shape(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value != null) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child != null && child !== false));
  return made;
}

export const find = (selector) => document.querySelector(selector);

const KNOWN = ["PostCreated", "CommentCreated", "CommentModerated", "CommentUpdated"];

/** Return the class that gives a type of event its colour: the blog's own four, and four for any others. */
export function colourOf(type) {
  const known = KNOWN.indexOf(type);
  if (known >= 0) return `type-${known}`;
  let sum = 0;
  for (const letter of type) sum = (sum * 31 + letter.codePointAt(0)) % 997;
  return `type-${4 + (sum % 4)}`;
}

/** Say in a few words what an event is about. */
export function summaryOf(event) {
  const data = event.data;
  if (data === null || typeof data !== "object") return data === undefined ? "" : String(data);
  const text = data.title ?? data.content ?? Object.values(data).find((value) => typeof value === "string") ?? "";
  const status = event.type !== "CommentCreated" && typeof data.status === "string" ? `${data.status}: ` : "";
  return status + String(text);
}

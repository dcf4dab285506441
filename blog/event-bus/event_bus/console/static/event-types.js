/** Types of events: the colour of each, and an event in a few words. Pure. */

const BLOG = ["PostCreated", "CommentCreated", "CommentModerated", "CommentUpdated"];

/** Return the CSS class with a type's colour: the blog's own four types have one each, all others share four. */
export function colourOf(type) {
  const known = BLOG.indexOf(type);
  if (known >= 0) return `type-${known}`;
  let sum = 0;
  for (const letter of type) sum = (sum * 31 + letter.codePointAt(0)) % 997;
  return `type-${4 + (sum % 4)}`;
}

/** Summarise an event's data: its title or text, after its status where the event decides one. */
export function summaryOf({ type, data }) {
  if (data === null || typeof data !== "object") return data === undefined ? "" : String(data);
  const text = data.title ?? data.content ?? Object.values(data).find((value) => typeof value === "string") ?? "";
  const status = type !== "CommentCreated" && typeof data.status === "string" ? `${data.status}: ` : "";
  return status + String(text);
}

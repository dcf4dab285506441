/** The state of a service, drawn as posts with comments or as JSON. What the event changed is marked. */

import { element } from "./dom.js";

/** Return whether a value has entries: an object or an array. */
export const isObject = (value) => value !== null && typeof value === "object";

/** Draw the entities of a state as cards, the newest first. */
export function blogCards(state, changes) {
  if (!isObject(state)) return [];
  const marks = new Map(changes.map((one) => [JSON.stringify(one.path), one]));
  const gone = changes.filter((one) => one.change === "removed" && one.path.length === 1);
  return [
    ...gone.map((one) => card(String(one.path[0]), one.before, marks)),
    ...Object.entries(state)
      .reverse()
      .map(([id, entity]) => card(id, entity, marks)),
  ];
}

function card(id, entity, marks) {
  const mark = marks.get(JSON.stringify([id]))?.change ?? "";
  if (!isObject(entity)) return element("article", { class: mark }, element("h3", {}, `${id}: ${entity}`));
  // query keeps comments in a post; comments keeps them by themselves, under the post's id.
  const [comments, path] = isObject(entity.comments) ? [entity.comments, [id, "comments"]] : [entity, [id]];
  const items = Object.entries(comments)
    .filter(([, one]) => isObject(one) && "content" in one)
    .map(([key, one]) => comment(one, marks, [...path, key]));
  for (const { path: lost, change, before } of marks.values()) {
    if (change === "removed" && lost.length === path.length + 1 && path.every((key, index) => key === lost[index])) {
      items.push(element("li", { class: "removed" }, before?.content ?? ""));
    }
  }
  return element(
    "article",
    { class: mark, "data-id": id },
    element("h3", {}, entity.title ?? element("code", {}, `post ${id}`)),
    items.length ? element("ul", {}, ...items) : null,
  );
}

function comment(one, marks, path) {
  const mark = marks.get(JSON.stringify(path));
  const status = marks.get(JSON.stringify([...path, "status"]));
  const was = status?.change === "changed" ? `${status.before} → ` : "";
  return element(
    "li",
    { class: mark?.change ?? (status ? "changed" : ""), "data-status": one.status },
    element("span", {}, one.content),
    element("small", {}, was + one.status),
  );
}

/** Draw a state as JSON, a line at a time. */
export function jsonLines(state, changes) {
  const marks = new Map(changes.map((one) => [JSON.stringify(one.path), one.change]));
  const lines = [];
  write(state, { path: [], indent: "", name: "", end: "", mark: null }, lines, marks);
  return [
    element("pre", { class: "json" }, ...lines.map(([text, mark]) => element("span", { class: mark }, `${text}\n`))),
  ];
}

function write(value, { path, indent, name, end, mark: inherited }, lines, marks) {
  const mark = marks.get(JSON.stringify(path)) ?? inherited;
  const keys = isObject(value) ? Object.keys(value) : [];
  if (!keys.length) {
    lines.push([`${indent}${name}${JSON.stringify(value)}${end}`, mark]);
    return;
  }
  const isArray = Array.isArray(value);
  lines.push([`${indent}${name}${isArray ? "[" : "{"}`, mark]);
  keys.forEach((key, index) => {
    const inner = {
      path: [...path, isArray ? index : key],
      indent: `${indent}  `,
      name: isArray ? "" : `${JSON.stringify(key)}: `,
      end: index < keys.length - 1 ? "," : "",
      mark,
    };
    write(value[key], inner, lines, marks);
  });
  lines.push([`${indent}${isArray ? "]" : "}"}${end}`, mark]);
}

/** Python source, with its keywords, texts and comments in colours. */

import { element } from "./dom.js";

const TOKEN =
  /(?<comment>#.*)|(?<text>f?"""[\s\S]*?"""|f?"(?:[^"\\\n]|\\.)*"|f?'(?:[^'\\\n]|\\.)*')|(?<decorator>^\s*@[\w.]+)|(?<keyword>\b(?:def|return|if|else|elif|for|in|not|and|or|is|None|True|False|import|from|class|with|as|raise|lambda)\b)/gm;

/** Return a `pre` with this source. */
export function inPython(source) {
  const made = element("pre", { class: "python" });
  let end = 0;
  for (const match of source.matchAll(TOKEN)) {
    const [kind] = Object.entries(match.groups).find(([, text]) => text !== undefined);
    made.append(source.slice(end, match.index), element("span", { class: kind }, match[0]));
    end = match.index + match[0].length;
  }
  made.append(source.slice(end).trimEnd());
  return made;
}

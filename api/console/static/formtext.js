// Texts of forms: a little Markdown, built as nodes, so that no text ever becomes markup.

import { el } from "./element.js";

const INLINE = /\*\*(.+?)\*\*|\*(.+?)\*|_(.+?)_|`(.+?)`|\[([^\]]+)\]\((https?:\/\/[^\s)]+)\)/;

/** Headings, lists, paragraphs; bold, italic, code and links inside. */
export function prose(text) {
  const nodes = [];
  let list = null;
  let lines = [];

  function flush() {
    if (lines.length > 0) nodes.push(el("p", {}, inline(lines.join("\n"))));
    lines = [];
  }

  for (const line of text.split("\n")) {
    const heading = /^(#{1,4})\s+(.*)$/.exec(line);
    const item = /^\s*(?:[-*+]|\d+\.)\s+(.*)$/.exec(line);
    if (item !== null) {
      flush();
      if (list === null) nodes.push((list = el("ul", { class: "bullets" })));
      list.append(el("li", {}, inline(item[1])));
      continue;
    }
    list = null;
    if (heading !== null) {
      flush();
      // Below the heading of the page itself.
      nodes.push(el("h2", { class: `level-${heading[1].length}` }, inline(heading[2])));
    } else if (line.trim() === "") flush();
    else lines.push(line);
  }
  flush();
  return nodes;
}

function inline(text) {
  const nodes = [];
  let rest = text;
  for (let found = INLINE.exec(rest); found !== null; found = INLINE.exec(rest)) {
    if (found.index > 0) nodes.push(rest.slice(0, found.index));
    const [whole, bold, slanted, also, code, word, address] = found;
    if (bold !== undefined) nodes.push(el("strong", {}, bold));
    else if (slanted !== undefined || also !== undefined) nodes.push(el("em", {}, slanted ?? also));
    else if (code !== undefined) nodes.push(el("code", {}, code));
    else nodes.push(el("a", { href: address, target: "_blank", rel: "noreferrer noopener" }, word));
    rest = rest.slice(found.index + whole.length);
  }
  if (rest !== "") nodes.push(rest);
  return nodes;
}

// The files of a model: which of them holds the process that is shown, and saving them to disk.

import { el } from "./element.js";

/** The place of the file that holds the process or decisions of this key; the first where none does. */
export function processFile(files, key) {
  const name = key.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const holds = new RegExp(`<(\\w+:)?(process|definitions)\\b[^>]*\\bid=["']${name}["']`);
  return Math.max(0, files.findIndex((file) => holds.test(file)));
}

/** Let the browser save texts as files. */
export function saveToDisk(files, key) {
  files.forEach((text, place) => {
    const kind = /<(\w+:)?definitions[^>]+DMN/.test(text.slice(0, 2000)) ? "dmn" : "bpmn";
    saveText(text, `${key}${place ? `-${place + 1}` : ""}.${kind}`, "application/xml");
  });
}

/** The same with one text of any type. */
export function saveText(text, name, type) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  el("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

// What somebody has typed into the form of a task, or drawn, and not sent: kept for this tab, and for nobody else who comes to it.

import { parseExact, writeExact } from "./exactjson.js";

const KEPT = "riverstone.typed.";

function at(name, id) {
  return `${KEPT}${encodeURIComponent(name)}.${encodeURIComponent(id)}`;
}

/** `id` is that of a task, or says which drawing it is. */
export function remember(name, id, values) {
  // Nobody is known yet: it would be shown to whoever comes.
  if (name === "") return;
  try {
    sessionStorage.setItem(at(name, id), writeExact(values));
  } catch {
    // A browser that keeps nothing only forgets what was typed when the page is left.
  }
}

export function remembered(name, id) {
  try {
    return parseExact(sessionStorage.getItem(at(name, id)) ?? "{}");
  } catch {
    return {};
  }
}

export function forget(name, id) {
  try {
    sessionStorage.removeItem(at(name, id));
  } catch {
    // Nothing was kept.
  }
}

/** For whoever leaves: the next one at this browser may be somebody else. */
export function forgetAll() {
  try {
    for (const key of Object.keys(sessionStorage)) if (key.startsWith(KEPT)) sessionStorage.removeItem(key);
  } catch {
    // Nothing was kept.
  }
}

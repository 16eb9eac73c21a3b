// How the elements of a diagram look, from the tokens of a process and the counts of its tasks.

import { t } from "./language.js";
import { shownState, STATES } from "./state.js";

/**
 * The looks by element id. `calls` are the namespaces of the call activities whose inside is shown; `callOf` tells what
 * element of this diagram a namespace of a call belongs to.
 */
export function picture({ counts, tokens, decisions, calls, callOf }) {
  const elements = new Map();
  const at = (id) => {
    if (!elements.has(id))
      elements.set(id, { states: {}, total: 0, ended: 0, progress: [], waiting: 0, active: false, waits: [] });
    return elements.get(id);
  };
  const placed = counts.map((alike) => [elementOf(alike, calls, callOf), alike]).filter(([id]) => id !== null);
  // What was undone and done anew since is over: only where nothing came after it a failure is still to be seen.
  const anew = new Set(placed.filter(([, alike]) => alike.undo === null).map(([id]) => id));
  for (const [id, alike] of placed) count(at(id), alike, alike.undo === "undone" && anew.has(id) ? "undone" : shownState(alike));
  for (const made of decisions) {
    // What a decision ends in is told by its token where it has failed, and inside of a call by that of the call.
    const id = made.calls.length === calls.length ? elementOf(made, calls, callOf) : null;
    if (id !== null && made.result.violation === null) ended(at(id), "success");
  }
  for (const token of tokens) {
    const id = elementOf(token, calls, callOf);
    if (id === null) continue;
    const element = at(id);
    if (token.failed) {
      ended(element, "failed");
      continue;
    }
    const inside = token.scope || token.calls.length > calls.length;
    if (inside) element.active = true;
    else element.waiting += 1;
    element.waits.push(...token.waits);
  }
  return new Map([...elements].map(([id, element]) => [id, look(element)]));
}

/** Which element of the diagram shown stands for a task or a token; null where none does. */
export function elementOf({ elementId, calls: path }, calls, callOf) {
  if (calls.some((call, depth) => path[depth] !== call)) return null;
  return path.length === calls.length ? elementId : callOf(path[calls.length]);
}

function ended(element, state) {
  element.states[state] = (element.states[state] ?? 0) + 1;
  element.total += 1;
  element.ended += 1;
}

function count(element, alike, state) {
  element.states[state] = (element.states[state] ?? 0) + alike.count;
  element.total += alike.count;
  if (alike.open) element.progress.push(alike);
  else element.ended += alike.count;
}

function look({ states, total, ended, progress, waiting, active, waits }) {
  const found = STATES.filter((state) => states[state]);
  const state = found[0] ?? (waiting > 0 ? "waiting" : active ? "running" : null);
  const classes = state === null ? [] : [`is-${state}`];
  const badges = [];
  if (state !== null) badges.push(["state", `is-${state}`, state, percent(progress), t(`task.${state}`)]);
  if (total > 1) {
    const title = found.map((each) => `${states[each]} ${t(`task.${each}`)}`).join(", ");
    badges.push(["count", "is-count", null, ended < total ? `${ended}/${total}` : `${total}`, title]);
  } else if (waiting > 1) badges.push(["count", "is-count", null, `${waiting}`, t("tokens", { count: waiting })]);
  return { classes, badges, waits };
}

function percent(progress) {
  if (progress.length === 0) return null;
  const sum = progress.reduce((found, each) => found + each.progress * each.count, 0);
  const mean = Math.round(sum / progress.reduce((found, { count }) => found + count, 0));
  return mean > 0 ? `${mean} %` : null;
}

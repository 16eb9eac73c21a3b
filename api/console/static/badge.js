// A state in a word, with its colour and its sign.

import { el } from "./element.js";
import { icon } from "./icon.js";
import { has, t } from "./language.js";
import { ofProcess, ofResults, ofTask } from "./state.js";

export function badge(state, word, title = null) {
  return el("span", { class: `badge is-${state}`, title }, icon(state), el("span", {}, word));
}

/** What a status is called; one that has no words of its own is shown as it is. */
export function statusWord(prefix, status) {
  return has(`${prefix}.${status}`) ? t(`${prefix}.${status}`) : status;
}

export function processBadge(process) {
  return badge(ofProcess(process), processWord(process), process.processStatus);
}

/** How a process stands: what it waits for, or how it has ended and what became of its results. */
export function processWord(process) {
  const { paused, processStatus, outcome, kept } = process;
  const standing = awaitedWord(process);
  if (standing !== null) return standing;
  const status = statusWord("process", paused ? "paused" : processStatus);
  const more = status.charAt(0).toLowerCase() + status.slice(1);
  const word = outcome === "failed" && processStatus !== "failed" ? t("process.failed.and", { word: more }) : status;
  return kept > 0 ? t("process.kept", { word, count: kept }) : word;
}

function awaitedWord({ paused, processStatus, awaits, waitsFor }) {
  if (awaits === "suspended") return t("state.suspended");
  if (paused || awaits === null || (processStatus !== "running" && processStatus !== "debug")) return null;
  const [first] = waitsFor;
  const rest = waitsFor.length - 1;
  if (awaits === "attention" || first === undefined) return t(`state.${awaits}`);
  const known = { name: first.name ?? first.elementId, time: first.due };
  const word = t(`awaits.${first.due === null ? first.kind : "time"}`, known);
  return rest > 0 ? t("awaits.more", { word, count: rest }) : word;
}

export function taskBadge(task) {
  const state = ofTask(task);
  return badge(state, taskWord(task, state), task.status);
}

function taskWord(task, state) {
  if (task.kind !== "start" && state === "success") return t("results.undone");
  if (task.status === "suspended") return t("state.suspended");
  if (task.status === "queued") return t("state.queued");
  return statusWord("task", state === "running" && task.status.startsWith("monitor") ? "watched" : state);
}

/** What became of a task's results, or null while they are kept. */
export function resultsBadge(task) {
  const state = ofResults(task);
  return state === null ? null : badge(state, t(`results.${task.undo}`));
}

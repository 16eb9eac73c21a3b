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

/** The word for how a process stands: one that waits for somebody's decision is told from one that runs. */
export function standing({ paused, attention, processStatus }) {
  if (paused) return "paused";
  return attention > 0 ? "attention" : processStatus;
}

export function processBadge(process) {
  const status = standing(process);
  const word = statusWord("process", status);
  const shown = process.kept > 0 ? t("process.kept", { word, count: process.kept }) : word;
  return badge(ofProcess(process), shown, process.processStatus);
}

export function taskBadge(task) {
  const state = ofTask(task);
  return badge(state, taskWord(task, state), task.status);
}

function taskWord(task, state) {
  if (task.kind !== "start" && state === "success") return t("results.undone");
  return statusWord("task", state === "running" && task.status.startsWith("monitor") ? "watched" : state);
}

/** What became of a task's results, or null while they are kept. */
export function resultsBadge(task) {
  const state = ofResults(task);
  return state === null ? null : badge(state, t(`results.${task.undo}`));
}

// What a process needs somebody for: why it stands, led by the reason, with the buttons that help.

import { el, fill, refill, said } from "./element.js";
import { icon } from "./icon.js";
import { counted, t } from "./language.js";
import { box } from "./notice.js";
import { to } from "./route.js";
import { languageOf } from "./sentences.js";
import { put } from "./server.js";
import { failedUndo, moves } from "./state.js";
import { askForHandWork, askForVariables, askToRerun, askToRollBack, askToSkip } from "./taskdialogs.js";
import { askToRewind } from "./undodialogs.js";

/** How many failures are shown by themselves; the others are among the tasks. */
export const MOST_FAILURES = 20;

export class ProcessHelp {
  /** `action` makes a button that acts and looks again; `explained` gives the server's sentences. */
  constructor({ id, may, tasks, action, explained }) {
    Object.assign(this, { id, may, tasks, action, explained });
    this.banner = el("div");
  }

  draw(process) {
    const { paused, processStatus, suspended } = process;
    refill(this.banner, [paused, processStatus, process.reason, process.failures, suspended], () => {
      if (suspended !== null) return this.#suspended(suspended, process);
      if (process.failures.length > 0) return this.#failures(process);
      const reason = process.reason && el("p", {}, said(process.reason));
      if (failedUndo(process) === null) return reason && box("failed", reason);
      const more = el("div", { class: "stack" }, reason);
      this.explained().then((sentences) => fill(more, sentences));
      return box("failed", more);
    });
  }

  #failures(process) {
    const { failures } = process;
    const retryAll = () => put(`process/${this.id}/retry`, {});
    const title = counted(process.paused ? "paused.title" : "attention.title", failures.length);
    return box(
      "paused",
      el("p", {}, el("strong", {}, title)),
      failures.slice(0, MOST_FAILURES).map((failure) => this.#failed(failure, process)),
      failures.length > MOST_FAILURES && el("p", {}, t("preview.more", { count: failures.length - MOST_FAILURES })),
      el("p", {}, t("paused.text")),
      this.may &&
        el(
          "p",
          { class: "row" },
          failures.length > 1 && this.action("retry-all", "again", t("retry.all"), retryAll, "primary"),
          this.action("set", "model", t("set"), () => askForVariables(process)),
          this.action("rollback", "undoing", t("resume"), () => askToRollBack(process)),
        ),
      failures[0].rollsBack && el("p", { class: "faint" }, t("attention.until", { due: failures[0].rollsBack })),
    );
  }

  #suspended({ who, since, reason }, process) {
    const text = who ? t("suspended.by", { who, since }) : t("suspended.title", { since });
    const letGoOn = () => put(`process/${process.originProcessInstanceId ?? this.id}/unsuspend`);
    return box(
      "paused",
      el("p", {}, el("strong", {}, text)),
      reason && el("p", {}, said(reason)),
      this.may && el("p", { class: "row" }, this.action("unsuspend", "play", t("unsuspend"), letGoOn, "primary")),
    );
  }

  /** One element that has failed: its name, why, and what can be done about it. */
  #failed(failure, process) {
    const task = this.tasks().find((each) => each.taskId === failure.taskId);
    const name = task?.name ?? failure.elementId;
    return el(
      "div",
      { class: "stack" },
      el("p", {}, el("strong", {}, said(name)), " ", el("span", { class: "reason" }, said(failure.reason))),
      this.may &&
        el("p", { class: "row" }, task ? this.#ofTask(task, process) : this.#ofElement(failure, process)),
    );
  }

  #ofElement(failure, process) {
    const { elementId } = failure;
    const again = () => put(`process/${this.id}/retry`, { elementId });
    return [
      this.action(`retry-${elementId}`, "again", t("retry.element"), again, "primary"),
      this.action(`skip-${elementId}`, "right", t("pass"), () => askToSkip(failure, process, elementId)),
    ];
  }

  /** What can be done with one task, as buttons. */
  actions(task, process) {
    return this.may && process !== null && task.processInstanceId === this.id ? this.#ofTask(task, process) : [];
  }

  /** The link to the form of a task that waits for a person, null of other tasks. */
  wayTo(task, process) {
    if (!this.may || process === null || task.processInstanceId !== this.id || !waitsForPerson(task, process)) return null;
    return el("a", { href: to("task", task.taskId), "data-focus": `way-${task.taskId}` }, t("person.open"));
  }

  #ofTask(task, process) {
    if (process.kind !== "start") return [];
    if (waitsForPerson(task, process))
      return [el("a", { class: "button primary", href: to("task", task.taskId), "data-focus": `complete-${task.taskId}` }, icon("success"), t("person.open"))];
    if (process.suspended !== null) return [];
    const failure = process.failures.find(({ taskId }) => taskId === task.taskId);
    if (failure === undefined) {
      const back = () => askToRewind(process, task);
      return canRewind(task, process) ? [this.action(`rewind-${task.taskId}`, "undoing", t("rewind"), back)] : [];
    }
    // As the list shows it by then: it may have failed once more.
    const shown = () => this.tasks().find(({ taskId }) => taskId === task.taskId) ?? task;
    const skip = () => askToSkip(failure, process, task.name, shown().attempt);
    return [
      this.action(`rerun-${task.taskId}`, "again", t("rerun"), () => askToRerun(shown()), "primary"),
      this.action(`hand-${task.taskId}`, "success", t("hand"), () => askForHandWork(shown())),
      this.action(`skip-${task.taskId}`, "right", t("pass"), skip),
    ];
  }
}

function waitsForPerson(task, process) {
  return task.kind === "start" && task.stone === null && task.endTime === null && moves(process);
}

function canRewind(task, { processStatus }) {
  const inForce = task.kind === "start" && task.undo === null && task.status !== "canceled";
  return inForce && task.endTime !== null && (processStatus === "running" || processStatus === "debug");
}

/** Whether an undo would still have something to do with a task. */
export function isLeft({ kind, stone, undo, mock }) {
  return kind === "start" && stone !== null && !mock && (undo === null || undo === "failed" || undo === "left");
}

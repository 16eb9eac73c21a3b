// Cancel, delete and retry: each asks first, and shows what it would undo and in which order.

import { el, fill, said } from "./element.js";
import { icon } from "./icon.js";
import { ask } from "./dialog.js";
import { JsonField } from "./jsontext.js";
import { counted, t } from "./language.js";
import { box, problemBox } from "./notice.js";
import { get, put } from "./server.js";
import { inRuns, moves } from "./state.js";
import { VersionChoice } from "./versionchoice.js";

/** The steps of a preview in rounds: what is undone at the same time, after the round before. */
export function rounds(steps) {
  const levels = new Map();
  for (const step of steps) {
    if (step.afterAs) levels.set(step.taskId, levels.get(step.afterAs));
    else levels.set(step.taskId, step.after.reduce((most, id) => Math.max(most, levels.get(id) ?? 0), 0) + 1);
  }
  const found = [];
  for (const step of steps) (found[levels.get(step.taskId) - 1] ??= []).push(step);
  return found;
}

function stepLine(step) {
  const kept = step.action === "retain";
  return el(
    "li",
    { class: kept ? "kept" : null },
    el(
      "span",
      { class: `badge is-${kept ? "retained" : "undoing"}` },
      icon(kept ? "retained" : "undoing"),
      el("span", {}, t(kept ? "preview.kept" : `preview.${step.action}`)),
    ),
    el("span", {}, said(step.name), " ", el("span", { class: "sub" }, said(inRuns(step)))),
    el("span", { class: "faint" }, said(step.stone ?? "")),
  );
}

/** Whether an undo would take anything back. */
function takesBack(steps) {
  return steps.some(({ action }) => action !== "retain");
}

const MOST_SHOWN = 200;

function preview(steps) {
  if (steps.length === 0) return el("p", { class: "faint" }, t("preview.nothing"));
  const kept = steps.filter(({ action }) => action === "retain").length;
  const undone = steps.length - kept;
  const hidden = steps.length - MOST_SHOWN;
  return el(
    "div",
    { class: "preview" },
    el("p", {}, undone > 0 ? counted("preview.undone", undone) : t("preview.none"), kept > 0 && ` ${counted("preview.retained", kept)}`),
    el(
      "ol",
      { class: "rounds", tabindex: "0", "aria-label": t("preview") },
      rounds(steps.slice(0, MOST_SHOWN)).map((round) => el("li", {}, el("ul", {}, round.map(stepLine)))),
    ),
    hidden > 0 && el("p", { class: "faint" }, t("preview.more", { count: hidden })),
  );
}

function check(id, label, hint) {
  const box = el("input", { type: "checkbox", id, "aria-describedby": `${id}-hint` });
  const node = el(
    "div",
    { class: "check" },
    box,
    el("div", {}, el("label", { for: id }, label), el("p", { class: "hint", id: `${id}-hint` }, hint)),
  );
  return { box, node };
}

export async function askToCancel(process) {
  const id = process.processInstanceId;
  const steps = await get(`process/${id}/preview`, { kind: "cancel" });
  const force = check("force", t("cancel.force"), t("cancel.force.hint"));
  return ask({
    title: t("cancel.title", { name: process.processName }),
    confirm: t("cancel.do"),
    danger: true,
    wide: true,
    content: [el("p", {}, t("cancel.text")), preview(steps), force.node],
    act: () => put(`process/${id}/cancel`, { force: force.box.checked }),
  });
}

/** Let nothing of a process begin for a while. */
export async function askToSuspend(process) {
  const reason = el("input", { type: "text", id: "reason", maxlength: "1000", autocomplete: "off" });
  return ask({
    title: t("suspend.title", { name: process.processName }),
    confirm: t("suspend.do"),
    content: [
      el("p", {}, t("suspend.text")),
      el("div", { class: "field" }, el("label", { for: "reason" }, t("suspend.reason")), reason),
    ],
    act: () => put(`process/${process.processInstanceId}/suspend`, { reason: reason.value || null }),
  });
}

/** Go back to a task: what is undone, what returns, what is moved, and what has to be given up for it. */
export async function askToRewind(process, task) {
  const id = process.processInstanceId;
  const parameters = new JsonField({ label: t("rewind.parameters"), hint: t("rewind.parameters.hint"), rows: 3 });
  const shown = el("div", { class: "stack", "aria-live": "polite" });
  const options = { label: t("rewind.version"), none: t("rewind.version.same"), changed: look };
  const choice = await VersionChoice.of(process, options).catch(() => new VersionChoice([], options));
  let kept = [];
  let retain = null;

  async function look() {
    try {
      const plan = await get(`process/${id}/rewind`, { to: task.taskId, ...choice.query });
      const returns = Object.keys(plan.variables);
      kept = plan.steps.filter(({ action }) => action === "retain");
      retain = kept.length > 0 ? check("retain", t("rewind.retain"), t("rewind.retain.hint")) : null;
      fill(
        shown,
        preview(plan.steps),
        returns.length > 0 && el("p", {}, t("rewind.variables"), " ", said(returns.join(", "))),
        plan.fired.length > 0 && el("p", {}, t("rewind.fired"), " ", said(plan.fired.join(", "))),
        retain?.node,
        plan.migration !== null && choice.shown(plan.migration),
      );
    } catch (problem) {
      fill(shown, problemBox(problem));
    }
  }

  await look();
  return ask({
    title: t("rewind.title", { name: task.name }),
    confirm: t("rewind.do"),
    danger: true,
    wide: true,
    content: [el("p", {}, t("rewind.text")), parameters.node, choice.count > 0 && choice.node, shown],
    act: () =>
      parameters.check() &&
      put(`process/${id}/rewind`, {
        to: task.taskId,
        parameters: parameters.value ?? {},
        retain: retain?.box.checked ? kept.map(({ taskId }) => taskId) : [],
        ...choice.body,
      }),
  });
}

export async function askToDelete(process) {
  const id = process.processInstanceId;
  const steps = await get(`process/${id}/preview`, { kind: "delete" });
  const running = moves(process) || process.paused;
  const force = check("force", t("delete.force"), t("delete.force.hint"));
  return ask({
    title: t("delete.title", { name: process.processName }),
    confirm: t("delete.do"),
    danger: true,
    wide: true,
    content: [(running || takesBack(steps)) && el("p", {}, t("delete.text")), preview(steps), running && force.node],
    act: () => put(`process/${id}/delete`, { force: force.box.checked }),
  });
}

export async function askToRetry(process, kind) {
  const undo = process[`${kind}ProcessInstanceId`];
  const tasks = await get(`process/${undo}/task`);
  const failed = tasks.filter((task) => task.status.endsWith("failed"));
  const boxes = failed.map((task) => {
    const id = `retain-${task.taskId}`;
    const box = el("input", { type: "checkbox", id, value: task.originTaskId });
    const reason = task.reason && el("p", { class: "reason" }, said(task.reason));
    const node = el(
      "div",
      { class: "check" },
      box,
      el("div", {}, el("label", { for: id }, t("retry.retain"), " ", said(task.name)), reason),
    );
    return { box, node };
  });
  return ask({
    title: t("retry.title", { kind: t(`kind.${kind}`) }),
    confirm: t("retry.do"),
    wide: true,
    content: [
      el("p", {}, t("retry.text")),
      boxes.map(({ node }) => node),
      boxes.length > 0 && box("warning", el("p", {}, t("retry.hint"))),
    ],
    act: () =>
      put(`process/${process.processInstanceId}/retry`, {
        retain: boxes.filter(({ box }) => box.checked).map(({ box }) => box.value),
      }),
  });
}

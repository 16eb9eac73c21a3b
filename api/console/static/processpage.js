// One process: where it stands, what undoes it beside it, and what can be done with it.

import { processBadge, processWord } from "./badge.js";
import { tell } from "./dialog.js";
import { el, fill, refill, said } from "./element.js";
import { historyList } from "./historylist.js";
import { icon } from "./icon.js";
import { readObject, valueTable } from "./jsontext.js";
import { counted, t } from "./language.js";
import { lasting, seconds } from "./moment.js";
import { announce, box, problemBox, toast, weatherIs } from "./notice.js";
import { ProcessPanel } from "./processpanel.js";
import { to } from "./route.js";
import { Change, get, put } from "./server.js";
import { failedUndo, moves, undosOf } from "./state.js";
import { askForHandWork, askForVariables, askToRerun, askToRollBack, askToSkip } from "./taskdialogs.js";
import { askToCancel, askToDelete, askToRetry, askToRewind, askToSuspend } from "./undodialogs.js";
import { Watch } from "./watch.js";

export function processPage({ main, id, query, client, titled }) {
  const may = client.scopes.length === 0 || client.scopes.includes("run");
  const heading = el("h1", { tabindex: "-1" }, `#${id}`);
  const status = el("span", { class: "status" });
  const buttons = el("div", { class: "actions" });
  const facts = el("dl", { class: "facts wide" });
  const banner = el("div");
  const trouble = el("div");
  const panels = el("div", { class: "panels" });
  const values = el("div", { class: "values" });
  const own = new ProcessPanel({ id, heading: t("forward"), actions, point: (task) => pointed(task), linked: false });
  const undos = new Map();
  let wanted = query.get("task");
  let word = null;
  let valuesShown = "";

  fill(
    main,
    el("p", { class: "back" }, el("a", { href: to("processes") }, icon("left"), t("nav.processes"))),
    el("div", { class: "page-head" }, heading, status, buttons),
    facts,
    trouble,
    banner,
    panels,
    values,
    el("div", { class: "values" }, historyList(id)),
  );
  titled(`#${id}`);
  panels.append(own.node);

  const change = new Change(id);
  const watch = new Watch(refresh, { interval: () => (moving() ? 1000 : 4000), trouble: troubled, change });
  const clock = setInterval(tick, 1000);

  function moving() {
    return own.moving || [...undos.values()].some((panel) => panel.moving);
  }

  async function refresh(signal) {
    const some = await own.again(signal);
    if (some) update();
    await Promise.all([...undos.values()].map((panel) => panel.again(signal)));
    if (wanted !== null) {
      own.openTask(wanted);
      wanted = null;
    }
    tick();
  }

  function update() {
    const { process } = own;
    heading.replaceChildren(said(process.processName));
    const now = processWord(process);
    titled(`${process.processName} · ${now}`);
    fill(status, processBadge(process));
    if (word !== null && word !== now) announce(t("status.now", { name: process.processName, status: now }));
    word = now;
    if (process.kind !== "start") own.heading.textContent = t(`kind.${process.kind}`);
    drawFacts(process);
    drawBanner(process);
    drawButtons(process);
    drawValues(process);
    for (const [kind, undo] of undosOf(process)) {
      if (undos.has(undo)) continue;
      const panel = new ProcessPanel({
        id: undo,
        heading: t(`kind.${kind}`),
        actions,
        point: (task) => pointedFrom(task),
      });
      undos.set(undo, panel);
      panels.append(panel.node);
      panels.classList.add("beside");
    }
  }

  function pointed(task) {
    for (const panel of undos.values()) panel.pointTo(task && ((other) => other.originTaskId === task.taskId));
  }

  function pointedFrom(task) {
    own.pointTo(task && ((other) => other.taskId === task.originTaskId));
  }

  function drawFacts(process) {
    const flags = ["debug", "mock", "deleteProtection"].filter((name) => process[name]);
    const fact = (name, value) => value && el("div", {}, el("dt", {}, t(`fact.${name}`)), el("dd", {}, value));
    const last = el("span", {}, lasting(seconds(process.startTime, process.endTime)));
    if (process.endTime === null) last.dataset.since = process.startTime;
    refill(facts, [process.endTime, process.owner, process.key, flags], () => [
      fact("id", process.processInstanceId),
      fact(
        "key",
        process.modelId ? el("a", { href: to("model", process.modelId) }, said(process.key)) : said(process.key),
      ),
      fact("started", process.startTime),
      fact("ended", process.endTime),
      fact("lasted", last),
      fact("business.key", process.businessKey && said(process.businessKey)),
      fact("owner", process.owner && said(process.owner)),
      fact("flags", flags.length > 0 && flags.map((name) => el("span", { class: "tag" }, t(`flag.${name}`)))),
      fact(
        "origin",
        process.originProcessInstanceId &&
          el("a", { href: to("process", process.originProcessInstanceId) }, `#${process.originProcessInstanceId}`),
      ),
    ]);
  }

  function drawBanner(process) {
    const { paused, processStatus, suspended } = process;
    refill(banner, [paused, processStatus, process.reason, process.failures, suspended], () => {
      if (suspended !== null) return suspendedBox(suspended, process);
      const reason = process.reason && el("p", {}, said(process.reason));
      if (process.failures.length > 0) {
        const [failure] = process.failures;
        const title = counted(process.paused ? "paused.title" : "attention.title", process.failures.length);
        return box(
          "paused",
          el("p", {}, el("strong", {}, title)),
          process.failures.map((failure) => failed(failure, process)),
          el("p", {}, t("paused.text")),
          may && el("p", { class: "row" },
            process.failures.length > 1 &&
              action("retry-all", "again", t("retry.all"), () => put(`process/${id}/retry`, {}), "primary"),
            action("set", "model", t("set"), () => askForVariables(process)),
            action("rollback", "undoing", t("resume"), () => askToRollBack(process)),
          ),
          failure.rollsBack && el("p", { class: "faint" }, t("attention.until", { due: failure.rollsBack })),
        );
      }
      if (failedUndo(process) === null) return reason && box("failed", reason);
      const more = el("div", { class: "stack", lang: "en" }, reason);
      explained().then((sentences) => fill(more, sentences));
      return box("failed", more);
    });
  }

  function suspendedBox({ who, since, reason }, process) {
    const text = who ? t("suspended.by", { who, since }) : t("suspended.title", { since });
    return box(
      "paused",
      el("p", {}, el("strong", {}, text)),
      reason && el("p", {}, said(reason)),
      may && el("p", { class: "row" }, action("unsuspend", "play", t("unsuspend"), () => letGoOn(process), "primary")),
    );
  }

  function letGoOn(process) {
    return put(`process/${process.originProcessInstanceId ?? id}/unsuspend`);
  }

  /** One element that has failed: its name, why, and what can be done about it. */
  function failed(failure, process) {
    const task = own.tasks.find((each) => each.taskId === failure.taskId);
    const name = task?.name ?? failure.elementId;
    return el(
      "div",
      { class: "stack" },
      el("p", {}, el("strong", {}, said(name)), " ", el("span", { class: "reason" }, said(failure.reason))),
      may && el("p", { class: "row" }, task ? taskButtons(task, process) : elementButtons(failure, process)),
    );
  }

  function elementButtons(failure, process) {
    const { elementId } = failure;
    return [
      action(`retry-${elementId}`, "again", t("retry.element"), () => put(`process/${id}/retry`, { elementId }), "primary"),
      action(`skip-${elementId}`, "right", t("pass"), () => askToSkip(failure, process, elementId)),
    ];
  }

  /** Why the process stands where it stands, in the server's sentences. */
  async function explained() {
    try {
      const { sentences } = await get(`process/${id}/why`);
      return sentences.map((sentence) => el("p", {}, said(sentence)));
    } catch (problem) {
      return [problemBox(problem)];
    }
  }

  async function explain() {
    tell({ title: t("why.title"), content: el("div", { class: "stack", lang: "en" }, await explained()) });
  }

  function drawButtons(process) {
    const forward = process.kind === "start";
    const undo = failedUndo(process);
    const ended = !moves(process) && !process.paused;
    const cancellable = forward && (process.paused || ["running", "debug"].includes(process.processStatus));
    const suspendable = process.suspended === null && (moves(process) || process.paused);
    const deletable = forward && !process.processStatus.startsWith("delete.") && (ended || cancellable);
    const shielded = process.deleteProtection;
    const why = el(
      "button",
      { type: "button", class: "quiet", "data-focus": "why", onclick: explain },
      icon("info"),
      t("why"),
    );
    if (!may) return refill(buttons, [], () => why);
    return refill(buttons, [undo, cancellable, suspendable, deletable, shielded], () => [
      why,
      undo && action("retry", "again", t("retry"), () => askToRetry(own.process, undo), "primary"),
      cancellable && action("cancel", "stop", t("cancel"), () => askToCancel(own.process)),
      suspendable && action("suspend", "paused", t("suspend"), () => askToSuspend(own.process), "quiet"),
      deletable && !shielded && action("delete", "trash", t("delete"), () => askToDelete(own.process), "danger-quiet"),
      deletable &&
        action("protect", "retained", t(shielded ? "unprotect" : "protect"), () => protect(own.process), "quiet"),
      forward &&
        el("a", { class: "button quiet", href: to("start", null, { from: id }) }, icon("play"), t("start.again")),
    ]);
  }

  function action(name, sign, text, act, kind = "") {
    const button = el(
      "button",
      { type: "button", class: kind, "data-focus": name, onclick: () => acted(act, text) },
      icon(sign),
      text,
    );
    return button;
  }

  async function acted(act, text) {
    fill(trouble);
    try {
      if ((await act()) !== null) toast(t("done", { what: text.replace("…", "") }));
    } catch (problem) {
      fill(trouble, problemBox(problem));
    }
    await watch.now();
  }

  function protect(process) {
    return put(`process/${id}/protection`, { deleteProtection: !process.deleteProtection });
  }

  /** What can be done with one task, as buttons. */
  function actions(task) {
    const { process } = own;
    return may && process !== null && task.processInstanceId === id ? taskButtons(task, process) : [];
  }

  function taskButtons(task, process) {
    if (process.kind !== "start") return [];
    if (task.stone === null && task.endTime === null && moves(process)) {
      const sign = icon("success");
      const more = { class: "button primary", href: to("task", task.taskId), "data-focus": `complete-${task.taskId}` };
      return [el("a", more, sign, t("person.open"))];
    }
    const back = action(`rewind-${task.taskId}`, "undoing", t("rewind"), () => askToRewind(process, task));
    if (process.suspended !== null) return [];
    const failure = process.failures.find(({ taskId }) => taskId === task.taskId);
    if (failure === undefined) return canRewind(task, process) ? [back] : [];
    return [
      action(`rerun-${task.taskId}`, "again", t("rerun"), () => askToRerun(task), "primary"),
      action(`hand-${task.taskId}`, "success", t("hand"), () => askForHandWork(task)),
      action(`skip-${task.taskId}`, "right", t("pass"), () => askToSkip(failure, process, task.name)),
    ];
  }

  function canRewind(task, { processStatus }) {
    const inForce = task.kind === "start" && task.undo === null && task.status !== "canceled";
    return inForce && task.endTime !== null && (processStatus === "running" || processStatus === "debug");
  }

  function drawValues(process) {
    const text = JSON.stringify([process.processContent, process.outputs, process.nativeOutputs]);
    if (text === valuesShown) return;
    valuesShown = text;
    const part = (name, content) => {
      const read = readObject(content);
      return el(
        "details",
        { open: name === "outputs" && content ? true : null },
        el("summary", {}, t(name), el("span", { class: "faint" }, ` ${Object.keys(read).length}`)),
        valueTable(read, t(name)),
      );
    };
    if (process.kind !== "start") return;
    fill(
      values,
      part("variables", process.processContent),
      process.outputs !== null && part("outputs", process.outputs),
      part("native", process.nativeOutputs),
    );
  }

  function tick() {
    own.tick();
    for (const panel of undos.values()) panel.tick();
    for (const node of facts.querySelectorAll("[data-since]"))
      node.textContent = lasting(seconds(node.dataset.since, null));
  }

  function troubled(problem) {
    weatherIs(problem);
    fill(trouble, problem && problem.passing !== true ? problemBox(problem) : null);
  }

  return {
    close() {
      watch.stop();
      clearInterval(clock);
      own.close();
      for (const panel of undos.values()) panel.close();
    },
  };
}

// One process: where it stands, what undoes it beside it, and what can be done with it.

import { processBadge, processWord } from "./badge.js";
import { tell } from "./dialog.js";
import { el, fill, refill, said } from "./element.js";
import { historyList } from "./historylist.js";
import { icon } from "./icon.js";
import { t } from "./language.js";
import { askToMigrate } from "./migratedialog.js";
import { lasting, seconds, time } from "./moment.js";
import { announce, problemBox, toast, weatherIs } from "./notice.js";
import { isLeft, ProcessHelp } from "./processhelp.js";
import { ProcessPanel } from "./processpanel.js";
import { to } from "./route.js";
import { Change, get, put } from "./server.js";
import { valuesOf } from "./processvalues.js";
import { languageOf } from "./sentences.js";
import { failedUndo, moves, undosOf } from "./state.js";
import { askToCancel, askToDelete, askToRetry, askToSuspend } from "./undodialogs.js";
import { secretButtons } from "./tasksecrets.js";
import { Watch } from "./watch.js";

export function processPage({ main, id, query, client, titled }) {
  const may = client.scopes.length === 0 || client.scopes.includes("run");
  const heading = el("h1", { tabindex: "-1" }, `#${id}`);
  const status = el("span", { class: "status" });
  const buttons = el("div", { class: "actions" });
  const facts = el("dl", { class: "facts wide" });
  const trouble = el("div");
  const panels = el("div", { class: "panels" });
  const values = el("div", { class: "values" });
  const own = new ProcessPanel({
    id,
    heading: t("forward"),
    actions: (task) => [...help.actions(task, own.process), ...secretButtons(task, client)],
    wayTo: (task) => help.wayTo(task, own.process),
    point: (task) => pointed(task),
    linked: false,
  });
  const undos = new Map();
  const help = new ProcessHelp({ id, may, tasks: () => own.tasks.known, action, explained });
  let wanted = query.get("task");
  let word = null;
  let valuesShown = "";

  fill(
    main,
    el("p", { class: "back" }, el("a", { href: to("processes") }, icon("left"), t("nav.processes"))),
    el("div", { class: "page-head" }, heading, status, buttons),
    facts,
    trouble,
    help.banner,
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
      const taskId = wanted;
      wanted = null;
      await own.openTask(taskId);
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
    help.draw(process);
    drawButtons(process);
    drawValues(process);
    for (const [kind, undo] of undosOf(process)) {
      if (undos.has(undo)) continue;
      const panel = new ProcessPanel({
        id: undo,
        heading: t(`kind.${kind}`),
        actions: () => [],
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
      fact("started", time(process.startedAt, process.startTime)),
      fact("ended", process.endTime && time(process.endedAt, process.endTime)),
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

  /** Why the process stands where it stands, in the server's sentences. */
  async function explained() {
    try {
      const { sentences } = await get(`process/${id}/why`);
      return sentences.map((sentence) => el("p", { lang: languageOf(sentence) }, said(sentence)));
    } catch (problem) {
      return [problemBox(problem)];
    }
  }

  async function explain() {
    tell({ title: t("why.title"), content: el("div", { class: "stack" }, await explained()) });
  }

  function drawButtons(process) {
    const forward = process.kind === "start";
    const undo = failedUndo(process);
    const ended = !moves(process) && !process.paused;
    const cancellable = forward && (process.paused || ["running", "debug"].includes(process.processStatus));
    const suspendable = process.suspended === null && (moves(process) || process.paused);
    const left = !process.mock && own.tasks.counts.some(isLeft);
    const deletable = forward && !process.processStatus.startsWith("delete.") && (cancellable || (ended && left));
    const movable = cancellable && process.modelId !== null;
    const shielded = process.deleteProtection;
    const why = el(
      "button",
      { type: "button", class: "quiet", "data-focus": "why", onclick: explain },
      icon("info"),
      t("why"),
    );
    if (!may) return refill(buttons, [], () => why);
    return refill(buttons, [undo, cancellable, suspendable, deletable, movable, shielded], () => [
      why,
      undo && action("retry", "again", t("retry"), () => askToRetry(own.process, undo), "primary"),
      cancellable && action("cancel", "stop", t("cancel"), () => askToCancel(own.process)),
      suspendable && action("suspend", "paused", t("suspend"), () => askToSuspend(own.process), "quiet"),
      movable && action("migrate", "diff", t("migrate"), () => askToMigrate(own.process), "quiet"),
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

  function drawValues(process) {
    const text = JSON.stringify([process.processContent, process.outputs, process.nativeOutputs]);
    if (text === valuesShown || process.kind !== "start") return;
    valuesShown = text;
    fill(values, valuesOf(process));
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

// One process instance as a diagram with its tasks: a forward run, or an undo beside what it undoes.

import { processBadge } from "./badge.js";
import { DecisionsMade } from "./decisionsmade.js";
import { decisionOf, DecisionTable } from "./decisiontable.js";
import { Diagram } from "./diagram.js";
import { el, fill, refill, said, unique } from "./element.js";
import { icon } from "./icon.js";
import { t } from "./language.js";
import { box, problemBox } from "./notice.js";
import { elementOf, picture } from "./picture.js";
import { to } from "./route.js";
import { get, Look } from "./server.js";
import { MOST_FAILURES } from "./processhelp.js";
import { ProcessTasks } from "./processtasks.js";
import { moves } from "./state.js";
import { processFile, saveToDisk } from "./sources.js";
import { TaskList } from "./tasklist.js";
import { wayOf } from "./takenpath.js";

const CALL = "bpmn:CallActivity";
const DECIDES = "bpmn:BusinessRuleTask";
const MOST_RUNS = 20;

export class ProcessPanel {
  /** `point` is told the task that is spoken of, so that the panel beside this one can point to its other side. */
  constructor({ id, heading, actions, wayTo, point = () => {}, linked = true }) {
    this.id = id;
    this.linked = linked;
    this.detail = new Look(`process/${id}/detail`);
    this.tasks = new ProcessTasks(id);
    this.decisionLook = new Look(`process/${id}/decision`, { limit: 100 });
    this.decided = new DecisionsMade();
    this.table = new DecisionTable();
    this.calls = [];
    this.sources = null;
    this.steps = [];
    this.looks = new Map();
    const label = unique("panel");
    this.head = el("div", { class: "panel-head" });
    this.crumbs = el("nav", { class: "crumbs", "aria-label": t("calls"), hidden: true });
    this.chosen = el("p", { class: "chosen", hidden: true });
    this.waits = el("ul", { class: "waits", hidden: true });
    this.diagram = new Diagram({ label: t("diagram.of", { name: heading }), select: (object) => this.#choose(object) });
    this.list = new TaskList({
      tasks: this.tasks,
      label: t("tasks.of", { name: heading }),
      actions,
      wayTo,
      point: (task) => {
        this.#point(task);
        point(task);
      },
    });
    this.heading = el("h2", { id: label }, heading);
    this.node = el(
      "section",
      { class: "panel", "aria-labelledby": label },
      this.head,
      this.crumbs,
      this.diagram.node,
      this.chosen,
      this.waits,
      this.table.node,
      this.decided.node,
      this.list.node,
    );
  }

  get process() {
    return this.detail.data;
  }

  get decisions() {
    return this.decisionLook.data?.items ?? [];
  }

  /** Look again; whether anything was new. */
  async again(signal) {
    // First the process: it says which tasks have failed, and these are wanted with the first look already.
    const some = await this.detail.again(signal);
    const shown = this.process.failures.slice(0, MOST_FAILURES);
    const failed = shown.map(({ taskId }) => taskId).filter((taskId) => taskId !== null);
    const tasks = await this.tasks.again(signal, failed);
    const more = (this.process.decided && (await this.decisionLook.again(signal))) || tasks;
    if (this.sources === null || this.version !== this.process.deploymentId) {
      // It may have moved to another version of its model.
      this.version = this.process.deploymentId;
      this.sources = (await get(`process/${this.id}/source`, null, signal)).files;
      await this.#draw(this.sources, this.process.key);
    }
    if (some || more) this.#update();
    return some || more;
  }

  get moving() {
    return this.process === null || moves(this.process);
  }

  tick() {
    this.list.tick();
  }

  /** Point to a task of this panel, by its own id or by that of the other side. */
  pointTo(find) {
    this.#point(find === null ? null : (this.tasks.known.find(find) ?? null));
  }

  async openTask(taskId) {
    await this.list.open(taskId);
  }

  close() {
    this.diagram.close();
  }

  async #draw(files, key) {
    const file = files[processFile(files, key)];
    if (file !== undefined) await this.diagram.show(file, key);
    else {
      this.diagram.close();
      fill(this.diagram.canvas, box("info", el("p", {}, t("diagram.none"))));
    }
    this.#paint();
  }

  #callOf(namespace) {
    const found = this.diagram.all(({ $type }) => $type === CALL);
    const exact = found.find(({ id }) => id === namespace);
    return (
      (exact ?? found.find(({ id }) => namespace.startsWith(id) && /^\d+$/.test(namespace.slice(id.length))))?.id ??
      null
    );
  }

  #where() {
    return { calls: this.calls, callOf: (namespace) => this.#callOf(namespace) };
  }

  #paint() {
    if (this.process === null || this.tasks.counting.data === null) return;
    this.looks = picture({ counts: this.tasks.counts, tokens: this.process.tokens, decisions: this.decisions, ...this.#where() });
    this.#way();
    this.diagram.paint(this.looks);
    this.#approach();
    const waits = [...this.looks].flatMap(([id, { waits }]) => waits.map((wait) => [id, wait]));
    this.waits.hidden = waits.length === 0 || !this.moving;
    refill(this.waits, waits, () => waits.slice(0, 20).map(([id, wait]) => this.#wait(id, wait)));
  }

  /** Between what has states of its own: the flows, gateways and events that were passed. */
  #way() {
    if (this.process.kind !== "start") return;
    const { status, outcome } = { status: this.process.processStatus, outcome: this.process.outcome };
    const taken = wayOf({
      elements: this.diagram.all(() => true),
      counts: this.tasks.counts,
      visited: [...this.looks.keys()],
      isOver: this.calls.length === 0 && (status === "success" || outcome === "success"),
      elementOf: (alike) => elementOf(alike, this.calls, (namespace) => this.#callOf(namespace)),
    });
    for (const id of taken) if (!this.looks.has(id)) this.looks.set(id, { classes: ["is-taken"], badges: [], waits: [] });
  }

  /** Where a large diagram is not seen whole, begin at what matters most. */
  #approach() {
    if (this.approached || !this.diagram.isCropped) return;
    const states = ["is-failed", "is-missing", "is-running", "is-undoing", "is-person", "is-waiting"];
    for (const state of states) {
      const found = [...this.looks].find(([id, { classes }]) => classes.includes(state) && this.diagram.find(id));
      if (found === undefined) continue;
      this.approached = true;
      this.diagram.reach(found[0]);
      return;
    }
  }

  #wait(id, wait) {
    const name = this.diagram.find(id)?.businessObject.name || id;
    const values = { name, what: wait.name ?? "", due: wait.due ?? "" };
    const link =
      ["message", "signal"].includes(wait.kind) &&
      el(
        "a",
        {
          class: "button small",
          href: to("signals", null, {
            kind: wait.kind,
            name: wait.name,
            process: wait.kind === "message" ? this.id : null,
            correlation: wait.correlation ?? null,
          }),
        },
        icon("send"),
        t("send"),
      );
    return el("li", {}, icon("waiting"), el("span", {}, t(`wait.${wait.kind}`, values)), link);
  }

  #update() {
    const { process } = this;
    refill(this.head, [process.processStatus, process.paused], () => [
      this.heading,
      this.linked && el("a", { class: "number", href: to("process", this.id) }, `#${this.id}`),
      processBadge(process),
      el(
        "button",
        { type: "button", class: "small quiet end", onclick: () => saveToDisk(this.sources, process.key) },
        icon("download"),
        "BPMN",
      ),
    ]);
    this.list.origin = process.originProcessInstanceId;
    this.list.draw();
    this.decided.update(this.decisions, this.decisionLook.data?.cursor != null);
    this.#paint();
  }

  #point(task) {
    this.diagram.point(task === null ? null : elementOf(task, this.calls, (namespace) => this.#callOf(namespace)));
  }

  #choose(object) {
    const place = object === null ? null : object.id;
    const isHere = (task) => elementOf(task, this.calls, (namespace) => this.#callOf(namespace)) === place;
    const name = object?.name || place;
    if (object === null || !this.tasks.counts.some(isHere)) this.list.narrow(null);
    else this.list.narrow(isHere, name);
    this.decided.narrow(object !== null && this.decisions.some(isHere) ? isHere : null);
    this.chosen.hidden = object === null;
    // What was decided there is shown with the table by itself.
    const asks = object?.$type === DECIDES && !this.decisions.some(isHere);
    this.table.show(asks ? decisionOf(object) : null, this.steps.at(-1)?.files ?? this.sources);
    if (object === null) return;
    const kind = object.$type.replace("bpmn:", "").replace(/([a-z])([A-Z])/g, "$1 $2");
    fill(
      this.chosen,
      el("strong", {}, said(name)),
      el("span", { class: "faint" }, kind),
      el("code", {}, place),
      object.$type === CALL && this.#inside(object),
    );
  }

  #inside(object) {
    const called = object.calledElement;
    if (!called || called.includes("${")) return null;
    const inside = this.tasks.counts.map(({ calls }) => calls[this.calls.length]);
    const runs = new Set(inside.filter((namespace) => namespace && this.#callOf(namespace) === object.id));
    const several = runs.size > 1;
    return [...(several ? runs : [[...runs][0] ?? object.id])]
      .slice(0, MOST_RUNS)
      .map((namespace) =>
        el(
          "button",
          { type: "button", class: "small", onclick: () => this.#enter(namespace, called) },
          icon("right"),
          t("calls.open", { name: several ? `${called} (${namespace})` : called }),
        ),
      );
  }

  async #enter(namespace, called) {
    try {
      await this.#go([...this.steps, { namespace, key: called, files: await this.#filesOf(called) }]);
    } catch (problem) {
      fill(this.chosen, problemBox(problem));
    }
  }

  /** The files that hold a called process: those of its caller, else of its newest version. */
  async #filesOf(called) {
    const within = this.sources.some((file) => file.includes(`id="${called}"`));
    if (within) return this.sources;
    const { items } = await get("deployment", { key: called, limit: 1 });
    return items.length === 0 ? [] : (await get(`deployment/${items[0].deploymentId}`)).files;
  }

  async #go(steps) {
    this.steps = steps;
    this.calls = steps.map(({ namespace }) => namespace);
    this.chosen.hidden = true;
    this.list.narrow(null);
    const last = steps.at(-1);
    await this.#draw(last?.files ?? this.sources, last?.key ?? this.process.key);
    if (last !== undefined)
      this.list.narrow((task) => this.calls.every((call, depth) => task.calls[depth] === call), last.key);
    this.crumbs.hidden = steps.length === 0;
    const names = [this.process.key, ...steps.map(({ key }) => key)];
    fill(
      this.crumbs,
      el(
        "ol",
        {},
        names.map((name, depth) =>
          el(
            "li",
            {},
            depth === steps.length
              ? el("span", { "aria-current": "location" }, said(name))
              : el(
                  "button",
                  { type: "button", class: "link", onclick: () => this.#go(steps.slice(0, depth)) },
                  said(name),
                ),
          ),
        ),
      ),
    );
  }
}

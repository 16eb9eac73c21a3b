// The tasks of one process: a row each, with everything that is known of it when it is opened. Of very many there is a
// row for each element, and those of an element are fetched when it is opened.

import { resultsBadge, taskBadge } from "./badge.js";
import { el, fill, Rows, said } from "./element.js";
import { elementRow, stoneOf } from "./elementrow.js";
import { icon } from "./icon.js";
import { readObject, valueTable } from "./jsontext.js";
import { counted, t } from "./language.js";
import { lasting, seconds } from "./moment.js";
import { box, problemBox } from "./notice.js";
import { to } from "./route.js";
import { inRuns, ofTask } from "./state.js";

const PART = 100;
const FILTERS = {
  all: () => true,
  open: (task) => task.endTime === null,
  failed: (task) => ofTask(task) === "failed" || task.undo === "failed" || task.undo === "left",
};

export class TaskList {
  /**
   * `tasks` are those of the process (see processtasks.js), `actions` gives the buttons of one; `point` is told the task
   * over which the pointer or the focus is; `wayTo` gives the link to the form of a task that waits for a person.
   */
  constructor({ label, tasks, actions, point, wayTo = () => null, origin = null }) {
    this.tasks = tasks;
    this.actions = actions;
    this.wayTo = wayTo;
    this.point = point;
    this.origin = origin;
    this.opened = new Set();
    this.filter = "all";
    this.only = null;
    this.limit = PART;
    this.body = el("tbody");
    this.rows = new Rows(
      this.body,
      (item) => item.key,
      (item) => this.#row(item),
    );
    this.more = el("button", { type: "button", class: "small", hidden: true, onclick: () => this.#more() });
    this.trouble = el("div");
    this.count = el("span", { class: "faint", role: "status" });
    this.chip = el("span");
    const columns = ["status", "task", "stone", "progress", "time"];
    this.table = el(
      "table",
      { class: "list tasks", "aria-label": label },
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          columns.map((name) => el("th", { scope: "col", class: `is-${name}` }, t(`column.${name}`))),
        ),
      ),
      this.body,
    );
    const choices = Object.keys(FILTERS).map((key) => el("option", { value: key }, t(`tasks.${key}`)));
    this.node = el(
      "div",
      { class: "tasklist" },
      el(
        "div",
        { class: "tasklist-head" },
        el("h3", {}, t("tasks")),
        this.count,
        this.chip,
        el(
          "label",
          { class: "inline end" },
          t("show"),
          el("select", { onchange: (event) => this.#choose(event.target.value) }, choices),
        ),
      ),
      this.trouble,
      this.table,
      el("p", { class: "center" }, this.more),
    );
  }

  #choose(key) {
    this.filter = key;
    this.limit = PART;
    for (const element of this.#elements().keys()) if (this.tasks.isOpen(element)) this.#ask(() => this.#openElement(element));
    this.draw();
  }

  /** The tasks of an element, as far as they are wanted. */
  #openElement(element, from = null) {
    return this.tasks.open(element, this.filter === "all" ? null : this.filter, from);
  }

  /** Fetch something, then show it. */
  async #ask(fetching) {
    fill(this.trouble);
    try {
      await fetching();
    } catch (problem) {
      fill(this.trouble, problemBox(problem));
    }
    this.draw();
  }

  #more() {
    this.limit += 5 * PART;
    this.draw();
  }

  /** Show only tasks that `only` is true of; `name` says which these are. */
  narrow(only, name) {
    this.only = only;
    this.limit = PART;
    fill(
      this.chip,
      only &&
        el(
          "button",
          {
            type: "button",
            class: "chip",
            "aria-label": t("filter.remove", { name }),
            onclick: () => this.narrow(null),
          },
          said(name),
          icon("failed"),
        ),
    );
    const [element, another] = only !== null && this.tasks.many ? this.#elements().keys() : [];
    if (element !== undefined && another === undefined && !this.tasks.isOpen(element))
      this.#ask(() => this.#openElement(element));
    this.draw();
  }

  draw() {
    const isWanted = (task) => this.#isWanted(task);
    const all = this.tasks.many ? [...this.#elements()] : this.tasks.known.filter(isWanted);
    const shown = all.slice(0, this.limit);
    this.rows.update(shown.flatMap((each) => (this.tasks.many ? this.#group(...each) : this.#shown(each))));
    this.more.hidden = all.length <= shown.length;
    this.more.textContent = t("more.rows", { count: all.length - shown.length });
    this.table.hidden = all.length === 0;
    const wanted = this.tasks.counts.filter(isWanted).reduce((sum, { count }) => sum + count, 0);
    const { total } = this.tasks;
    const text = wanted === total ? counted("count", total) : t("count.of", { count: wanted, total });
    if (this.count.textContent !== text) this.count.textContent = text;
    this.tick();
  }

  #isWanted(task) {
    return FILTERS[this.filter](task) && (this.only === null || this.only(task));
  }

  /** The counts of tasks that are wanted, by element. */
  #elements() {
    const found = new Map();
    for (const alike of this.tasks.counts) {
      if (!this.#isWanted(alike)) continue;
      if (found.has(alike.elementId)) found.get(alike.elementId).push(alike);
      else found.set(alike.elementId, [alike]);
    }
    return found;
  }

  /** The row of a task, and beneath it what is known of it. */
  #shown(task) {
    const open = this.opened.has(task.taskId);
    const row = { key: task.taskId, task, open };
    return open ? [row, { key: `${task.taskId}+`, task, detail: true }] : [row];
  }

  /** The row of an element, and beneath it its tasks as far as they are shown. */
  #group(element, counts) {
    const open = this.tasks.isOpen(element);
    const row = { key: `of ${element}`, counts, open };
    if (!open) return [row];
    const { rows, more, later, from } = this.tasks.part(element);
    return [
      row,
      from !== null && { key: `before ${element}`, element, text: "tasks.first", ask: () => this.#openElement(element) },
      ...rows.filter((task) => this.#isWanted(task)).flatMap((task) => this.#shown(task)),
      more && { key: `more ${element}`, element, text: "tasks.more", ask: () => this.tasks.more(element) },
      later && { key: `later ${element}`, element, text: "tasks.later", ask: () => this.tasks.more(element) },
    ].filter((item) => item !== false);
  }

  tick() {
    for (const node of this.body.querySelectorAll("[data-since]"))
      node.textContent = lasting(seconds(node.dataset.since, null));
  }

  /** Open the details of a task and go there. */
  async open(taskId) {
    this.opened.add(taskId);
    if (this.tasks.many) {
      const { elementId } = await this.tasks.need(taskId);
      await this.#ask(() => this.#openElement(elementId, String(Number(taskId) - 1)));
      this.limit = Math.max(this.limit, [...this.#elements().keys()].indexOf(elementId) + 1);
    }
    const place = this.tasks.known.findIndex((task) => task.taskId === taskId);
    if (!this.tasks.many && place >= this.limit) this.limit = place + PART;
    this.draw();
    this.body.querySelector(`[data-focus="${CSS.escape(taskId)}"]`)?.focus();
  }

  #toggle(taskId) {
    if (!this.opened.delete(taskId)) this.opened.add(taskId);
    this.draw();
  }

  #toggleElement(element) {
    if (!this.tasks.isOpen(element)) return this.#ask(() => this.#openElement(element));
    this.tasks.close(element);
    this.draw();
  }

  #row({ task, open, detail, counts, text, element, ask }) {
    if (counts !== undefined) return elementRow({ counts, open, toggle: (id) => this.#toggleElement(id), point: this.point });
    if (text !== undefined) {
      const button = el(
        "button",
        { type: "button", class: "small", "data-focus": `${text} ${element}`, onclick: () => this.#ask(ask) },
        t(text),
      );
      return el("tr", {}, el("td", { colspan: 5, class: "center" }, button));
    }
    if (detail)
      return el("tr", { class: "detail" }, el("td", { colspan: 5, id: `task-${task.taskId}` }, this.#detail(task)));
    const name = el(
      "button",
      {
        type: "button",
        class: "opener",
        "aria-expanded": open ? "true" : "false",
        "aria-controls": open ? `task-${task.taskId}` : null,
        "data-focus": task.taskId,
        onclick: () => this.#toggle(task.taskId),
        onfocus: () => this.point(task),
        onblur: () => this.point(null),
      },
      icon(open ? "down" : "right"),
      said(task.name, { class: "said clamp" }),
    );
    const results = resultsBadge(task);
    const wrong = ofTask(task) === "failed" ? "reason" : "sub";
    const since = el("span", {}, lasting(seconds(task.createTime, task.endTime)));
    if (task.endTime === null) since.dataset.since = task.createTime;
    return el(
      "tr",
      { class: open ? "is-open" : null, onmouseenter: () => this.point(task), onmouseleave: () => this.point(null) },
      el(
        "td",
        { class: "is-status" },
        results !== null && ofTask(task) === "success" ? null : taskBadge(task),
        results,
      ),
      el(
        "td",
        { class: "is-task" },
        el(
          "div",
          { class: "task-name" },
          name,
          el("span", { class: "sub" }, said(inRuns(task))),
          task.attempt > 1 && el("span", { class: "tag" }, t("attempt", { count: task.attempt })),
        ),
        !open && task.reason && el("div", { class: wrong === "reason" ? wrong : `${wrong} clamp` }, said(task.reason)),
      ),
      el("td", { class: "is-stone" }, (!open && this.wayTo(task)) || stoneOf(task)),
      el("td", { class: "is-progress" }, this.#progress(task)),
      el("td", { class: "is-time" }, el("span", { class: "began" }, task.createTime), since),
    );
  }

  #progress(task) {
    const ended = task.endTime !== null && (ofTask(task) !== "failed" || task.progress === 0);
    if (task.stone === null || ended)
      return el("span", { class: "faint" }, task.endTime === null ? "" : "–");
    return el(
      "span",
      { class: "progress" },
      el("progress", { max: 100, value: task.progress, "aria-label": t("progress.of", { name: task.name }) }),
      el("span", { class: "number" }, `${task.progress} %`),
    );
  }

  #detail(task) {
    const buttons = this.actions(task);
    const { after } = (task.afterAs && this.tasks.known.find((each) => each.taskId === task.afterAs)) || task;
    return el(
      "div",
      { class: "task-detail" },
      task.reason && box(ofTask(task) === "failed" ? "failed" : "info", el("p", {}, said(task.reason))),
      buttons.length > 0 && el("p", { class: "row" }, buttons),
      el(
        "dl",
        { class: "facts" },
        fact("task.id", task.taskId),
        fact("element", said(task.elementId)),
        task.calls.length > 0 && fact("calls", said(task.calls.join(" › "))),
        task.endTime && fact("ended", task.endTime),
        after.length > 0 && fact("after", after.join(", ")),
        task.originTaskId &&
          this.origin &&
          fact("undoes", el("a", { href: to("process", this.origin, { task: task.originTaskId }) }, task.originTaskId)),
      ),
      el(
        "div",
        { class: "halves" },
        el("section", {}, el("h4", {}, t("parameters")), valueTable(readObject(task.params), t("parameters"))),
        el("section", {}, el("h4", {}, t("outputs")), valueTable(readObject(task.outputs), t("outputs"))),
      ),
      Object.keys(task.saved).length > 0 &&
        el("section", {}, el("h4", {}, t("task.saved")), valueTable(task.saved, t("task.saved"))),
      task.log.length > 0 &&
        el(
          "section",
          {},
          el("h4", {}, t("log")),
          el(
            "ol",
            { class: "log" },
            task.log.map((line) => el("li", {}, said(line))),
          ),
        ),
    );
  }
}

function fact(name, value) {
  return el("div", {}, el("dt", {}, t(`fact.${name}`)), el("dd", {}, value));
}

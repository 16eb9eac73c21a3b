// The tasks of one process: a row each, with everything that is known of it when it is opened.

import { resultsBadge, taskBadge } from "./badge.js";
import { el, fill, Rows, said } from "./element.js";
import { icon } from "./icon.js";
import { readObject, valueTable } from "./jsontext.js";
import { counted, t } from "./language.js";
import { lasting, seconds } from "./moment.js";
import { box } from "./notice.js";
import { to } from "./route.js";
import { inRuns, ofTask } from "./state.js";

const PART = 100;
const FILTERS = {
  all: () => true,
  open: (task) => task.endTime === null,
  failed: (task) => ofTask(task) === "failed" || task.undo === "failed" || task.undo === "left",
};

export class TaskList {
  /** `actions` gives the buttons of a task; `point` is told the task over which the pointer or the focus is. */
  constructor({ label, actions, point, origin = null }) {
    this.actions = actions;
    this.point = point;
    this.origin = origin;
    this.opened = new Set();
    this.tasks = [];
    this.filter = "all";
    this.only = null;
    this.limit = PART;
    this.body = el("tbody");
    this.rows = new Rows(
      this.body,
      ({ task, detail }) => task.taskId + (detail ? "+" : ""),
      (item) => this.#row(item),
    );
    this.more = el("button", { type: "button", class: "small", hidden: true, onclick: () => this.#more() });
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
      this.table,
      el("p", { class: "center" }, this.more),
    );
  }

  #choose(key) {
    this.filter = key;
    this.limit = PART;
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
    this.draw();
  }

  update(tasks) {
    this.tasks = tasks;
    this.draw();
  }

  draw() {
    const wanted = this.tasks.filter((task) => FILTERS[this.filter](task) && (this.only === null || this.only(task)));
    const shown = wanted.slice(0, this.limit);
    const items = shown.flatMap((task) =>
      this.opened.has(task.taskId)
        ? [
            { task, open: true },
            { task, detail: true },
          ]
        : [{ task, open: false }],
    );
    this.rows.update(items);
    this.more.hidden = wanted.length <= shown.length;
    this.more.textContent = t("more.rows", { count: wanted.length - shown.length });
    this.table.hidden = wanted.length === 0;
    const text =
      wanted.length === this.tasks.length
        ? counted("count", wanted.length)
        : t("count.of", { count: wanted.length, total: this.tasks.length });
    if (this.count.textContent !== text) this.count.textContent = text;
    this.tick();
  }

  tick() {
    for (const node of this.body.querySelectorAll("[data-since]"))
      node.textContent = lasting(seconds(node.dataset.since, null));
  }

  /** Open the details of a task and go there. */
  open(taskId) {
    this.opened.add(taskId);
    const place = this.tasks.findIndex((task) => task.taskId === taskId);
    if (place >= this.limit) this.limit = place + PART;
    this.draw();
    this.body.querySelector(`[data-focus="${CSS.escape(taskId)}"]`)?.focus();
  }

  #toggle(taskId) {
    if (!this.opened.delete(taskId)) this.opened.add(taskId);
    this.draw();
  }

  #row({ task, open, detail }) {
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
      el(
        "td",
        { class: "is-stone" },
        task.stone === null
          ? el("span", { class: "faint" }, t("task.person"))
          : said(task.stone, { class: "said clip" }),
      ),
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
    const { after } = task.afterAs ? this.tasks.find((each) => each.taskId === task.afterAs) : task;
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

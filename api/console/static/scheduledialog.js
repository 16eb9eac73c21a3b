// When a task of a person is due and taken up, and how it ranks: asked of who may say so.

import { ask } from "./dialog.js";
import { el, unique } from "./element.js";
import { t } from "./language.js";
import { put } from "./server.js";

/** Resolves with the task as it is then, or null. */
export function askForSchedule(task) {
  const due = new MomentField("due", task.dueAt);
  const followUp = new MomentField("follow", task.followUpAt);
  const id = unique("priority");
  const priority = el("input", { id, type: "number", step: 1, min: -1000000, max: 1000000, value: task.priority });
  return ask({
    title: t("person.schedule.title"),
    confirm: t("person.schedule.do"),
    content: el(
      "div",
      { class: "stack" },
      due.node,
      followUp.node,
      el(
        "div",
        { class: "field" },
        el("label", { for: id }, t("person.schedule.priority")),
        priority,
        el("p", { class: "hint" }, t("person.schedule.hint")),
      ),
    ),
    act: async () => {
      // What is half written reads as empty, which would take the date away.
      const isHalf = [due.input, followUp.input, priority].some(({ validity }) => validity.badInput);
      if (isHalf || priority.value === "") throw new Error(t("person.schedule.incomplete"));
      const changed = { ...due.changed("dueAt"), ...followUp.changed("followUpAt") };
      if (priority.value !== String(task.priority)) changed.priority = priority.valueAsNumber;
      return Object.keys(changed).length > 0 ? put(`task/${task.taskId}/schedule`, changed) : null;
    },
  });
}

/** A day and a time by the reader's clock; empty is none. */
class MomentField {
  constructor(name, moment) {
    this.first = moment === null ? "" : here(new Date(moment));
    const id = unique(name);
    this.input = el("input", { id, type: "datetime-local", value: this.first });
    this.node = el("div", { class: "field" }, el("label", { for: id }, t(`person.${name}`)), this.input);
  }

  /** What is to be sent of it, where it is another one. */
  changed(member) {
    const { value } = this.input;
    return value === this.first ? {} : { [member]: value === "" ? null : new Date(value).toISOString() };
  }
}

function here(moment) {
  const local = new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16);
}

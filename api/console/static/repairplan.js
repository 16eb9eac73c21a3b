// What a repair would do, told in the dialog that asks for it, anew whenever something else is filled in.

import { el, fill, said } from "./element.js";
import { t } from "./language.js";
import { problemBox } from "./notice.js";
import { languageOf } from "./sentences.js";
import { get, post } from "./server.js";

/** Milliseconds without a key before the server is asked. */
const PAUSE = 400;

export class RepairPlan {
  #latest = 0;

  /** `look` asks the server; it gives null for what cannot be asked yet. */
  constructor(look) {
    this.look = look;
    this.node = el("div", { class: "stack", "aria-live": "polite" });
  }

  /** Of one task; `values` gives what is filled in. */
  static ofTask(taskId, action, values = () => ({})) {
    return new RepairPlan(() => {
      const given = values();
      return given && post(`task/${taskId}/repair`, { action, ...given });
    });
  }

  /** Of an element that has failed in no task. */
  static ofElement(processInstanceId, action, elementId) {
    return new RepairPlan(() => get(`process/${processInstanceId}/repair`, { action, elementId }));
  }

  /** The same in a moment, while somebody types: what is pressed meanwhile stays where it is. */
  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.show(), PAUSE);
  }

  /** Show what would be done as things are. */
  async show() {
    const turn = ++this.#latest;
    try {
      const plan = await this.look();
      if (turn === this.#latest) fill(this.node, plan && el("ul", { class: "plain" }, lines(plan)));
    } catch (problem) {
      if (turn === this.#latest) fill(this.node, problemBox(problem));
    }
  }
}

function lines({ steps, next }) {
  const found = steps.flatMap((step) => [
    step.hook === "rollback" && el("li", {}, t("plan.rollback")),
    step.beside && el("li", {}, t("plan.beside")),
    step.attempt !== null && el("li", {}, t("plan.begins", { attempt: step.attempt })),
    step.made && el("li", {}, t("plan.made")),
    step.missing.length > 0 && el("li", {}, t("plan.missing", { names: step.missing.join(", ") })),
    step.reason !== null && el("li", {}, t("plan.stops"), " ", el("span", { lang: languageOf(step.reason) }, said(step.reason))),
  ]);
  return [...found, next.length > 0 && el("li", {}, t("plan.next", { elements: next.join(", ") }))];
}

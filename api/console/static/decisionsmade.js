// The decisions that a process has made: what each gave, and the table that says why with its matched rows marked.

import { decisionsIn, DecisionView } from "./decisionview.js";
import { el, fill, Rows, said, unique } from "./element.js";
import { inRuns } from "./state.js";
import { writeExact } from "./exactjson.js";
import { t } from "./language.js";
import { problemBox } from "./notice.js";
import { get } from "./server.js";

const PART = 10;
const LONGEST = 120;

export class DecisionsMade {
  constructor() {
    const label = unique("decided");
    this.made = [];
    this.only = null;
    this.limit = PART;
    this.list = el("ul", { class: "plain" });
    this.rows = new Rows(this.list, ({ key }) => key, ({ made }) => el("li", {}, this.#one(made)));
    this.more = el("button", { type: "button", class: "small", hidden: true, onclick: () => this.#all() });
    this.note = el("p", { class: "faint", hidden: true }, t("decided.older"));
    const heading = el("h3", { id: label }, t("decisions"));
    this.node = el("section", { class: "decided", hidden: true, "aria-labelledby": label }, heading, this.list, this.more, this.note);
  }

  /** Show these, newest first; `older` tells that there are others before them. */
  update(made, older) {
    this.made = made;
    this.note.hidden = !older;
    this.#draw();
  }

  /** Show only those that `only` is true of, all for null. */
  narrow(only) {
    this.only = only;
    this.limit = PART;
    this.#draw();
  }

  #all() {
    this.limit = Infinity;
    this.#draw();
  }

  #draw() {
    const wanted = this.only === null ? this.made : this.made.filter(this.only);
    // Counted from the oldest, so that what is open stays so when another is made.
    const items = wanted.map((made, place) => ({ made, key: this.made.length - this.made.indexOf(made) }));
    this.rows.update(items.slice(0, this.limit));
    this.more.hidden = items.length <= this.limit;
    this.more.textContent = t("more.rows", { count: items.length - this.limit });
    this.node.hidden = items.length === 0;
  }

  #one(made) {
    const { result } = made;
    const inside = el("div");
    const value = result.omitted.includes("value") ? "…" : short(writeExact(result.value));
    const details = el(
      "details",
      { ontoggle: () => details.open && inside.childElementCount === 0 && this.#open(inside, result) },
      el(
        "summary",
        {},
        said(inRuns({ namespace: made.name, runs: made.runs })),
        " · ",
        el("strong", {}, said(result.name)),
        " = ",
        el("code", {}, said(value)),
        el("span", { class: "faint" }, ` v${result.version} · ${made.madeAt.slice(0, 19).replace("T", " ")}`),
      ),
      inside,
    );
    return details;
  }

  async #open(inside, result) {
    const why = [result.violation, ...result.warnings].filter(Boolean).map((text) => el("p", {}, said(text)));
    if (result.omitted.length > 0) why.push(el("p", { class: "faint" }, t("decided.omitted", { what: result.omitted.join(", ") })));
    const view = new DecisionView();
    fill(inside, why, view.node);
    if (result.matched.length === 0) return;
    try {
      const { files } = await get(`deployment/${result.deploymentId}`);
      view.showMade(files.map(decisionsIn).filter((root) => root !== null), result.matched);
    } catch (problem) {
      fill(inside, why, problemBox(problem), result.matched.map(plainly));
    }
  }
}

/** Which rules counted, where their table is not there any more. */
function plainly({ name, rules, inputs, outputs }) {
  const parts = [t("decision.rule"), rules.join(", "), writeExact(inputs), "→", writeExact(outputs)];
  return el("p", {}, said(name), ": ", said(parts.join(" ")));
}

function short(text) {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

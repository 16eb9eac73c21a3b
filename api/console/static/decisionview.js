// The decisions of a DMN file: their tables and expressions, to read and to try.

import { idOf } from "./decisioninputs.js";
import { trialOf } from "./decisiontrial.js";
import { el, fill, said } from "./element.js";
import { writeExact } from "./exactjson.js";
import { t } from "./language.js";

const DMN = /^https?:\/\/www\.omg\.org\/spec\/DMN\//;

/** The root of a file that holds decisions; null for any other. */
export function decisionsIn(file) {
  const root = new DOMParser().parseFromString(file, "application/xml").documentElement;
  return DMN.test(root.namespaceURI ?? "") ? root : null;
}

/** So much of the name of a column tells what it was asked. */
const SHOWN = 80;

function inside(element, name) {
  return [...element.children].filter((child) => child.localName === name);
}

function words(element) {
  return element === undefined ? "" : (inside(element, "text")[0]?.textContent ?? "").trim();
}

export class DecisionView {
  constructor() {
    this.node = el("div", { class: "decisions" });
    this.rows = new Map();
  }

  /** Show them; `deploymentId` is where they can be tried, null for a draft. */
  show(root, deploymentId) {
    this.rows.clear();
    const decisions = inside(root, "decision");
    fill(
      this.node,
      decisions.map((decision) => this.#decision(decision)),
      deploymentId !== null && decisions.length > 0 && trialOf({ root, decisions, deploymentId, mark: (matched) => this.#mark(matched) }),
    );
  }

  /** Show the one of this id alone; whether there is one. */
  showOne(roots, id) {
    this.rows.clear();
    const found = roots.flatMap((root) => inside(root, "decision")).find((decision) => idOf(decision) === id);
    fill(this.node, found !== undefined && this.#decision(found, {}));
    return found !== undefined;
  }

  /** Show the tables that were asked for a decision, with what they were asked and the rules that counted. */
  showMade(roots, matched) {
    this.rows.clear();
    const decisions = roots.flatMap((root) => inside(root, "decision"));
    const asked = matched.map((each) => [decisions.find((decision) => idOf(decision) === each.decisionId), each]);
    fill(
      this.node,
      asked.map(([decision, { inputs }]) => decision !== undefined && this.#decision(decision, inputs)),
    );
    this.#mark(matched);
  }

  /** A decision by itself, or one that was made from these `inputs`. */
  #decision(decision, inputs = null) {
    const table = inside(decision, "decisionTable")[0];
    const name = decision.getAttribute("name") || idOf(decision);
    return el(
      "section",
      { class: "decision", id: inputs === null ? `decision-${idOf(decision)}` : null },
      el("h3", {}, said(name), name !== idOf(decision) && el("code", {}, said(idOf(decision)))),
      table === undefined ? this.#logic(decision) : this.#table(decision, table, name, inputs ?? {}),
    );
  }

  #logic(decision) {
    const expression = inside(decision, "literalExpression")[0];
    const text = expression === undefined ? t("decision.boxed") : words(expression);
    return el("pre", {}, said(text));
  }

  #table(decision, table, name, values) {
    const inputs = inside(table, "input");
    const outputs = inside(table, "output");
    const asked = inputs.map((input) => input.getAttribute("label") || words(inside(input, "inputExpression")[0]));
    const given = outputs.map((output) => output.getAttribute("label") || output.getAttribute("name") || name);
    const rules = inside(table, "rule").map((rule, index) => {
      const cells = [...inside(rule, "inputEntry"), ...inside(rule, "outputEntry")].map(words);
      return el("tr", {}, el("th", { scope: "row" }, String(index + 1)), cells.map((cell) => el("td", {}, said(cell))));
    });
    this.rows.set(idOf(decision), rules);
    const value = (text) =>
      text.slice(0, SHOWN) in values && el("code", { class: "value" }, said(writeExact(values[text.slice(0, SHOWN)])));
    const heads = [
      ...asked.map((text) => el("th", { scope: "col", class: "asked" }, said(text), value(text))),
      ...given.map((text) => el("th", { scope: "col", class: "given" }, said(text))),
    ];
    return el(
      "div",
      { class: "scroll" },
      el(
        "table",
        { class: "list" },
        el("caption", {}, t("decision.policy", { policy: table.getAttribute("hitPolicy") || "UNIQUE" })),
        el("thead", {}, el("tr", {}, el("th", { scope: "col" }, t("decision.rule")), heads)),
        el("tbody", {}, rules),
      ),
    );
  }

  #mark(matched) {
    for (const rows of this.rows.values()) rows.forEach((row) => row.removeAttribute("aria-current"));
    for (const { decisionId, rules } of matched) {
      for (const number of rules) this.rows.get(decisionId)?.[number - 1]?.setAttribute("aria-current", "true");
    }
  }
}

// A form as it is filled in. The server says what stands how; here it is drawn, and nothing that was typed is lost.

import { el, fill, said } from "./element.js";
import { FormField } from "./formfield.js";
import { prose } from "./formtext.js";
import { wording } from "./formwrong.js";
import { weatherIs } from "./notice.js";
import { whenReleased } from "./pointer.js";

const PAUSE = 300;
const SHOWN = new Set(["text", "table", "group", "separator", "spacer"]);

export class FormView {
  /** `ask()` asks the server how it stands with what is filled in; `noted()` is called when a field is filled in. */
  constructor({ ask, noted = () => {} }) {
    this.ask = ask;
    this.noted = noted;
    /** Whether an answer shows and hides, so that it is asked for while somebody types. */
    this.changes = false;
    /** Whether something was filled in that no answer has come to. */
    this.due = false;
    this.turn = 0;
    this.pause = null;
    this.node = el("div", { class: "answers-form" });
    this.fields = new Map();
    this.shown = new Map();
    this.groups = new Map();
  }

  /** Draw it for the first time, filled in with its values, and what was `typed` before on top of that. */
  draw({ parts, values, changes }, typed = {}) {
    this.close();
    this.changes = changes;
    this.fields.clear();
    this.shown.clear();
    this.groups.clear();
    fill(this.node);
    for (const part of parts) {
      const { node, into } = this.#made(part, values);
      this.shown.set(part.id, { part, node });
      this.#place(part).append(node);
      if (into !== undefined) this.groups.set(part.id, into);
      const field = this.fields.get(part.id);
      if (field !== undefined && part.key in typed && !part.secret && !part.readonly) field.set(typed[part.key]);
    }
    this.update(parts);
  }

  #place({ inside }) {
    return this.groups.get(inside) ?? this.node;
  }

  #made(part, values) {
    if (part.kind === "group") {
      const into = el("div", { class: "answers-form" });
      const legend = el("legend", {}, said(part.label));
      return { node: el("fieldset", { class: "answer-group" }, part.label !== "" && legend, into), into };
    }
    if (SHOWN.has(part.kind)) return { node: el("div", { class: `shown-${part.kind}` }) };
    const field = new FormField(part, at(values, part.key), (...filled) => this.#filled(...filled));
    this.fields.set(part.id, field);
    return { node: field.node };
  }

  /** How it stands now: what is hidden, what is to be chosen, what texts say. */
  update(parts) {
    for (const part of parts) {
      const known = this.shown.get(part.id);
      if (known === undefined) continue;
      known.node.hidden = part.hidden;
      known.node.style.gridColumn = part.width === null ? "" : `span ${part.width}`;
      const field = this.fields.get(part.id);
      if (field !== undefined) field.update(part);
      else if (part.kind === "text") fill(known.node, prose(part.text));
      else if (part.kind === "separator") fill(known.node, el("hr"));
      else if (part.kind === "table") fill(known.node, table(part));
      known.part = part;
    }
  }

  /** Let what was filled in last hide and show what it does, before it is sent: that checks the rest. */
  async settle() {
    this.close();
    // Who fills in more while that is asked has it asked again.
    while (this.changes && !(await this.#evaluate({ atOnce: true })));
  }

  /** Leave out answers that are still to come. */
  close() {
    this.turn += 1;
    this.due = false;
    clearTimeout(this.pause);
  }

  #filled(field, left) {
    this.noted();
    if (field.wrong.textContent !== "" && !left) field.complain("");
    // An answer that is on its way is one to what was there before.
    this.turn += 1;
    this.due ||= left || this.changes;
    clearTimeout(this.pause);
    if (this.due) this.pause = setTimeout(() => this.#evaluate(), left ? 0 : PAUSE);
  }

  /** Show how it stands by now; false where it was an answer to what was there before. */
  async #evaluate({ atOnce = false } = {}) {
    clearTimeout(this.pause);
    this.turn += 1;
    const { turn } = this;
    try {
      const found = await this.ask();
      if (!atOnce) await new Promise(whenReleased);
      if (turn !== this.turn) return false;
      this.due = false;
      this.update(found.parts);
      this.complain(found.errors, { touched: true });
      weatherIs(null);
    } catch (problem) {
      if (turn === this.turn && problem.status !== 401) weatherIs(problem);
    }
    return true;
  }

  /** The values as variables, of what is there to be filled in. */
  get values() {
    const found = {};
    for (const [id, field] of this.fields) {
      const { part } = this.shown.get(id);
      const value = field.value;
      if (part.hidden || value === undefined) continue;
      let here = found;
      const names = part.key.split(".");
      for (const name of names.slice(0, -1)) here = here[name] ??= {};
      here[names.at(-1)] = value;
    }
    return found;
  }

  /** What was typed, by key, to be there again after a reload; nothing that is secret. */
  get typed() {
    const found = {};
    for (const field of this.fields.values())
      if (!field.part.secret && field.edited) found[field.part.key] = field.read();
    return found;
  }

  /** Say what is wrong at its fields, all or the `touched` ones; the texts of those that are none of these. */
  complain(errors, { touched = false } = {}) {
    const others = { ...errors };
    let first = null;
    for (const field of this.fields.values()) {
      const texts = errors[field.part.key];
      delete others[field.part.key];
      if (touched && !field.touched) continue;
      field.complain(texts === undefined ? "" : texts.map(wording).join(" "));
      if (texts !== undefined && !field.node.hidden) first ??= field;
    }
    return { others, first };
  }
}

function at(values, key) {
  let here = values;
  for (const name of key.split(".")) {
    if (here === null || typeof here !== "object") return undefined;
    here = here[name];
  }
  return here;
}

function table({ label, columns, rows }) {
  return el(
    "div",
    { class: "wide-table", tabindex: "0", role: "region", "aria-label": label || columns.join(", ") },
    el(
      "table",
      {},
      label !== "" && el("caption", {}, said(label)),
      el("thead", {}, el("tr", {}, columns.map((name) => el("th", { scope: "col" }, said(name))))),
      el("tbody", {}, rows.map((row) => el("tr", {}, row.map((cell) => el("td", {}, said(cell)))))),
    ),
  );
}

// One entry of a list in a dialog, such as a variable or a field of a form: its members as fields.

import { offer } from "./edithints.js";
import { el, unique } from "./element.js";
import { asText as exactText } from "./exactjson.js";
import { t } from "./language.js";

/** A value as it is written in a field. */
export const asText = (value) => (value === undefined || value === null ? "" : exactText(value));

/** Fields of one entry: what is written in them is put together when the dialog is confirmed. */
export class Entry {
  constructor(before) {
    this.before = before;
    this.read = [];
  }

  field(name, { rows = 0, type = "text", hint = "", label = t(`edit.entry.${name}`), value = asText(this.before[name]), take = (text) => text, offers = null } = {}) {
    const id = unique("entry");
    const input = el(rows ? "textarea" : "input", { id, rows: rows || null, type: rows ? null : type, step: type === "number" ? "any" : null, value, autocomplete: "off", spellcheck: "false", "aria-describedby": hint ? `${id}-hint` : null });
    this.read.push(() => [name, input.value.trim() === "" ? undefined : take(input.value)]);
    const list = offers === null ? null : offer(input, offers, () => {});
    return el("div", { class: "field" }, el("label", { for: id }, label), input, list, hint && el("p", { class: "hint", id: `${id}-hint` }, hint));
  }

  choice(name, options, value) {
    const id = unique("entry");
    const input = el("select", { id }, options.map(([key, text]) => el("option", { value: key, selected: key === value }, text)));
    this.read.push(() => [name, input.value]);
    return el("div", { class: "field" }, el("label", { for: id }, t(`edit.entry.${name}`)), input);
  }

  check(name) {
    const id = unique("entry");
    const input = el("input", { id, type: "checkbox", checked: String(this.before[name]).toLowerCase() === "true" });
    this.read.push(() => [name, input.checked || undefined]);
    return el("div", { class: "check" }, input, el("label", { for: id }, t(`edit.entry.${name}`)));
  }

  /** What was there, with what was written; what is empty is left out. */
  get made() {
    const made = { ...this.before };
    for (const [name, value] of this.read.map((read) => read())) {
      if (value === undefined) delete made[name];
      else made[name] = value;
    }
    return made;
  }
}

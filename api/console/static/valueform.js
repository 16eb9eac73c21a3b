// Values by name, a field each; whoever prefers it writes them as JSON.

import { el, fill } from "./element.js";
import { adder, remover } from "./entrylist.js";
import { JsonField } from "./jsontext.js";
import { t } from "./language.js";
import { ValueField } from "./valuefield.js";

export class ValueForm {
  /** `fields` are those of :class:`ValueField`; with `changed` only what was edited is a value, else what is filled in. */
  constructor({ fields, label, changed = false }) {
    this.declared = fields;
    this.changed = changed;
    this.json = new JsonField({ label, rows: 8 });
    this.list = el("div", { class: "value-list" });
    this.switch = el("button", { type: "button", class: "small quiet", onclick: () => this.#turn() });
    this.foot = el("div", { class: "row" });
    this.node = el("div", { class: "values-form" }, this.list, this.foot);
    this.asJson = false;
    this.#draw({});
  }

  #draw(values) {
    this.fields = this.declared.map((each) => new ValueField(each));
    for (const field of this.fields) if (Object.hasOwn(values, field.name)) field.take(values[field.name]);
    fill(this.list, this.fields.map(({ node }) => node));
    const known = new Set(this.declared.map(({ name }) => name));
    for (const [name, value] of Object.entries(values)) if (!known.has(name)) this.#add(name, value);
    if (this.fields.length === 0) this.#add();
    this.#footing();
  }

  #add(name = "", value = undefined) {
    const field = new ValueField({ value, remove: remover(() => this.#drop(field)) });
    field.naming.value = name;
    this.fields.push(field);
    this.list.append(field.node);
    return field;
  }

  #drop(field) {
    this.fields = this.fields.filter((each) => each !== field);
    field.node.remove();
    this.foot.querySelector("button").focus();
  }

  #footing() {
    this.switch.textContent = t(this.asJson ? "value.as.fields" : "value.as.json");
    fill(this.foot, !this.asJson && adder(t("value.add"), () => this.#add().naming.focus()), this.switch);
  }

  /** Fill in these values. */
  take(values) {
    if (Object.keys(values).length > 0) this.#draw(values);
  }

  /** Between fields and JSON; what is wrong is mended before. */
  #turn() {
    if (!this.check()) return;
    const { values } = this;
    this.asJson = !this.asJson;
    if (this.asJson) {
      this.json.value = Object.keys(values).length > 0 ? values : undefined;
      fill(this.list, this.json.node);
      this.#footing();
    } else this.#draw(values);
    this.switch.focus();
  }

  get values() {
    if (this.asJson) return this.json.value ?? {};
    const found = this.fields.filter((field) => !this.changed || field.edited).map((field) => [field.key, field.value]);
    return Object.fromEntries(found.filter(([name, value]) => name !== "" && value !== undefined));
  }

  /** Whether all of it can be sent; the first wrong field gets the focus. */
  check() {
    if (this.asJson) {
      const right = this.json.check();
      if (!right) this.json.area.focus();
      return right;
    }
    const wrong = this.fields.filter((field) => !field.check());
    const names = this.fields.map(({ key }) => key);
    for (const field of this.fields)
      if (field.naming !== null && field.key !== "" && names.indexOf(field.key) !== names.lastIndexOf(field.key)) {
        field.complain(t("value.twice"));
        wrong.push(field);
      }
    wrong[0]?.input.focus();
    return wrong.length === 0;
  }
}

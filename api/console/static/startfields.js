// What a start asks for: the form of the start event, fields of the parameter template, and any other variables as JSON;
// where there is neither, the variables that the model reads, and others by name.

import { el, fill } from "./element.js";
import { copyOf, isObject } from "./exactjson.js";
import { FormView } from "./formview.js";
import { JsonField } from "./jsontext.js";
import { t } from "./language.js";
import { get, post } from "./server.js";
import { TemplateForm } from "./templateform.js";
import { ValueForm } from "./valueform.js";

export class StartFields {
  constructor() {
    this.json = new JsonField({ label: t("variables.other"), hint: t("variables.hint"), rows: 4 });
    this.fields = el("div");
    this.view = new FormView({ ask: () => post(`${this.source}/form`, { values: this.values }) });
    this.more = el("details", { class: "start-others" });
    this.node = el("section", {});
    this.form = null;
    this.template = null;
    /** In place of the JSON, where nothing says what a start may give. */
    this.free = null;
    this.source = null;
  }

  /** Ask the server what a start of `source` asks for, and draw that with these values. Raises its problems. */
  async show(source, values) {
    this.close();
    this.source = source;
    const given = Object.keys(values).length > 0;
    const [{ parameterTemplate }, form] = await Promise.all([
      get(source),
      given ? post(`${source}/form`, { values }) : get(`${source}/form`),
    ]);
    if (this.source !== source) return;
    this.form = form.parts.length > 0 ? form : null;
    const asked = new Set(form.parts.map(({ key }) => key));
    const others = (parameterTemplate ?? []).filter((entry) => !asked.has(pathOf(entry)));
    this.template = others.length > 0 ? new TemplateForm(others) : null;
    this.free = this.form === null && this.template === null ? freeForm(form.variables) : null;
    this.#draw();
    if (this.free !== null) return this.free.take(values);
    const rest = this.form === null ? values : without(values, [...asked].filter(Boolean));
    const left = this.template === null ? rest : this.template.take(rest);
    this.json.value = Object.keys(left).length > 0 ? left : undefined;
    this.more.open = this.form === null || this.json.value !== undefined;
  }

  #draw() {
    const { form, template, free, json, more } = this;
    if (form !== null) this.view.draw(form);
    fill(this.fields, form !== null && this.view.node, template?.node, free?.node);
    // Whoever has a form to fill in needs no JSON, and finds it where it is asked for.
    if (form !== null) fill(more, el("summary", {}, t("variables.more")), json.node);
    const others = form !== null ? more : free === null && json.node;
    fill(this.node, el("h2", {}, t("variables")), this.fields, others);
  }

  /** All variables as they are sent. */
  get values() {
    if (this.free !== null) return this.free.values;
    const values = this.json.value ?? {};
    merge(values, this.template?.values ?? {});
    if (this.form !== null) merge(values, this.view.values);
    return values;
  }

  /** Whether all that is checked here is right; the first wrong field gets the focus. */
  check() {
    if (this.free !== null) return this.free.check();
    const [whole, filled] = [this.json.check(), this.template === null || this.template.check()];
    if (!whole) this.more.open = true;
    if (filled && !whole) this.json.area.focus();
    return whole && filled;
  }

  /** Let what was filled in last hide and show what it does, before it is sent. */
  async settle() {
    if (this.form !== null) await this.view.settle();
  }

  /** Show what the server found wrong, each at its field; the errors that have no field here. */
  complain(errors) {
    const { others, first } = this.form === null ? { others: errors, first: null } : this.view.complain(errors);
    first?.focus();
    if (this.template?.complain(others)) for (const { path } of this.template.variables) delete others[path];
    return others;
  }

  close() {
    this.source = null;
    this.view.close();
    this.template?.close();
    this.template = null;
  }
}

/** Fields for what the model reads. */
function freeForm(variables) {
  const hint = ({ description, members }) =>
    [description, members.length > 0 && t("variables.members", { names: members.join(", ") })].filter(Boolean).join(" ");
  const fields = variables.map((each) => ({ ...each, hint: hint(each) }));
  const form = new ValueForm({ fields, label: t("variables.json") });
  if (fields.length > 0) form.node.prepend(el("p", { class: "hint" }, t("variables.read")));
  return form;
}

const pathOf = (entry) => (entry?.NameSpace ? `${entry.NameSpace}.${entry.Key}` : entry?.Key);

/** Put values over others; of objects the members are put together. */
function merge(values, more) {
  for (const [key, value] of Object.entries(more)) {
    const both = isObject(value) && isObject(values[key]);
    values[key] = both ? { ...values[key], ...value } : value;
  }
}

/** A copy of the values without what the form asks for. */
function without(values, keys) {
  const rest = copyOf(values);
  for (const key of keys) {
    const names = key.split(".");
    const holders = [rest];
    for (const name of names.slice(0, -1)) holders.push(holders.at(-1)?.[name]);
    if (isObject(holders.at(-1))) delete holders.at(-1)[names.at(-1)];
    for (let place = names.length - 2; place >= 0; place -= 1)
      if (isObject(holders[place + 1]) && Object.keys(holders[place + 1]).length === 0) delete holders[place][names[place]];
  }
  return rest;
}

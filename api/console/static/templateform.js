// A form drawn from a parameter template: one field a variable, those of a namespace in a group.

import { el, said } from "./element.js";
import { copyOf, isObject } from "./exactjson.js";
import { VariableField } from "./variablefield.js";

/** The fields of a whole template, those of a namespace in a group of their own. */
export class TemplateForm {
  constructor(template) {
    const changed = () => this.follow();
    this.variables = template
      .filter((entry) => entry !== null && typeof entry === "object" && entry.Key)
      .map((entry) => new VariableField(entry, changed));
    const groups = new Map();
    for (const variable of this.variables)
      groups.set(variable.namespace, [...(groups.get(variable.namespace) ?? []), variable]);
    this.node = el(
      "div",
      { class: "template" },
      [...groups].map(([namespace, variables]) => {
        const fields = el(
          "div",
          { class: "grid" },
          variables.map(({ node }) => node),
        );
        return namespace === null ? fields : el("fieldset", {}, el("legend", {}, said(namespace)), fields);
      }),
    );
    this.follow();
  }

  #find(variable) {
    const names = [variable.namespace && `${variable.namespace}.${variable.reference}`, variable.reference];
    return names
      .map((name) => this.variables.find(({ path }) => path === name))
      .find((found) => found !== undefined && found !== variable);
  }

  /** Let every field that copies another one show what it would get. */
  follow() {
    for (const variable of this.variables) {
      if (variable.reference === null) continue;
      let target = this.#find(variable);
      for (let steps = 0; target !== undefined && target.isEmpty && target.reference !== null && steps < 20; steps += 1)
        target = this.#find(target);
      variable.follow(target?.shownText ?? "");
    }
  }

  /** Whether all fields are right; the first wrong one gets the focus. */
  check() {
    const wrong = this.variables.filter((variable) => !variable.check());
    wrong[0]?.input.focus();
    return wrong.length === 0;
  }

  get values() {
    const values = {};
    for (const { key, namespace, value } of this.variables) {
      if (value === undefined) continue;
      if (namespace === null) values[key] = value;
      else (values[namespace] ??= {})[key] = value;
    }
    return values;
  }

  /** Take over values; what no field has is returned. */
  take(values) {
    const rest = copyOf(values);
    for (const variable of this.variables) {
      const home = variable.namespace === null ? rest : rest[variable.namespace];
      if (!isObject(home) || !(variable.key in home)) continue;
      variable.value = home[variable.key];
      delete home[variable.key];
      if (variable.namespace !== null && Object.keys(home).length === 0) delete rest[variable.namespace];
    }
    this.follow();
    return rest;
  }

  /** Show what the server found wrong, by field; whether any of it has a field here. */
  complain(errors) {
    const found = this.variables.filter(({ path }) => path in errors);
    for (const variable of found) variable.complain(errors[variable.path].join(" "));
    found[0]?.input.focus();
    return found.length > 0;
  }

  close() {
    for (const { extra } of this.variables) extra?.remove();
  }
}

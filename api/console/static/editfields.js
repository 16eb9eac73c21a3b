// The fields that a person fills in, drawn with their task or with the start (camunda:formData): edited one by one, without XML.

import { ask } from "./dialog.js";
import { el, said } from "./element.js";
import { Entry } from "./entry.js";
import { entryList } from "./entrylist.js";
import { t } from "./language.js";

const DATA = "camunda:FormData";
const TYPES = ["string", "long", "double", "boolean", "date", "enum"];
const LIMITS = ["min", "max", "minlength", "maxlength"];

/** The section of a user task or a start event with its fields, in their order. */
export function fieldsSection(form, hint) {
  const fields = form.extension(DATA)?.get("fields") ?? [];
  const put = (next) => {
    if (next.length > 0) form.extend(DATA, { fields: next });
    else form.drop(DATA);
    form.again();
  };
  const question = (field, place) => {
    const others = new Set(fields.filter((_, each) => each !== place).map(({ id }) => id));
    return askForField(field ? read(field) : { type: "string" }, others).then((made) => made && written(form, made, field));
  };
  const { list, add } = entryList({ entries: fields, line, question, put, add: t("edit.fields.add") });
  return form.section(t("edit.fields"), el("p", { class: "hint" }, hint), list, add);
}

function line(field) {
  const kind = TYPES.includes(field.type) ? t(`edit.field.${field.type}`) : (field.type ?? t("edit.field.string"));
  return el("span", {}, said(field.label || field.id), el("span", { class: "sub" }, el("code", {}, field.id), ` ${kind}`));
}

function read(field) {
  const rules = new Map((field.validation?.constraints ?? []).map(({ name, config }) => [name, config ?? "true"]));
  const choices = (field.values ?? []).map(({ id, name }) => (name && name !== id ? `${id} = ${name}` : id));
  const limits = Object.fromEntries(LIMITS.filter((name) => rules.has(name)).map((name) => [name, rules.get(name)]));
  const { id, label, type, defaultValue } = field;
  return { id, label, type, defaultValue, choices, required: rules.has("required") && rules.get("required") !== "false", ...limits };
}

/** The field as it is written; of what the form does not show nothing is lost. */
function written(form, made, before) {
  const { id, label, type, defaultValue } = made;
  const field = form.make("camunda:FormField", { id, label, type, defaultValue });
  for (const name of ["datePattern", "properties"]) if (before?.get(name) !== undefined) field.set(name, before.get(name));
  const named = new Map([made.required && ["required", undefined], ...LIMITS.map((name) => made[name] && [name, made[name]])].filter(Boolean));
  const others = (before?.validation?.constraints ?? []).filter(({ name }) => name !== "required" && !LIMITS.includes(name));
  const constraints = [...[...named].map(([name, config]) => form.make("camunda:Constraint", { name, config })), ...others];
  if (constraints.length > 0) {
    field.validation = within(field, form.make("camunda:Validation", { constraints }));
    constraints.forEach((each) => within(field.validation, each));
  }
  if (type === "enum") {
    const pairs = made.choices.map((text) => text.split(/ = (.*)/s));
    field.values = pairs.map(([value, name]) => within(field, form.make("camunda:Value", { id: value.trim(), name: (name ?? value).trim() })));
  }
  return field;
}

function within(parent, child) {
  child.$parent = parent;
  return child;
}

function askForField(before, others) {
  const entry = new Entry(before);
  const lines = (text) => text.split("\n").map((each) => each.trim()).filter(Boolean);
  const types = [...new Set([...TYPES, before.type ?? "string"])];
  const kind = entry.choice("type", types.map((type) => [type, TYPES.includes(type) ? t(`edit.field.${type}`) : type]), before.type);
  const choices = entry.field("choices", { rows: 3, value: (before.choices ?? []).join("\n"), hint: t("edit.entry.choices.hint"), take: lines });
  const [numbers, lengths] = [LIMITS.slice(0, 2), LIMITS.slice(2)].map((names) => el("div", { class: "grid" }, names.map((name) => entry.field(name, { type: "number" }))));
  const select = kind.querySelector("select");
  const fit = () => {
    choices.hidden = select.value !== "enum";
    numbers.hidden = !["long", "double"].includes(select.value);
    lengths.hidden = select.value !== "string";
  };
  select.addEventListener("change", fit);
  fit();
  const content = [
    entry.field("id", { hint: t("edit.entry.id.hint") }),
    entry.field("label"),
    kind,
    choices,
    entry.field("defaultValue"),
    entry.check("required"),
    numbers,
    lengths,
  ];
  return ask({ title: t("edit.fields.entry"), confirm: t("take"), wide: true, content, act: async () => checked(entry.made, others) });
}

function checked(made, others) {
  if (!made.id) throw new Error(t("edit.entry.missing"));
  if (!/^[\p{L}_][\p{L}\p{N}_]*$/u.test(made.id)) throw new Error(t("edit.entry.id.wrong"));
  if (others.has(made.id)) throw new Error(t("edit.entry.id.twice"));
  if (made.type === "enum" && !(made.choices?.length > 0)) throw new Error(t("edit.entry.choices.missing"));
  return made;
}

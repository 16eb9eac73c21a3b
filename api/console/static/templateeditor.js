// The start form and the outputs of a model, edited field by field: nobody has to write JSON.

import { ask } from "./dialog.js";
import { el, said } from "./element.js";
import { asText, Entry } from "./entry.js";
import { entryList } from "./entrylist.js";
import { isNumber, isObject, parseExact } from "./exactjson.js";
import { t } from "./language.js";
import { TemplateForm } from "./templateform.js";

const TYPES = ["String", "Integer", "Number", "Boolean", "List", "CommaDelimitedList", "Map", "Json"];
const BOUNDS = ["MinValue", "MaxValue", "MinLength", "MaxLength"];
const FLAGS = ["NoEcho", "Searchable", "AllowedCustomization"];

/** The sections of the process's form; `content()` has the templates, and `changed` is told what is different. */
export function templateSections({ content, changed, offers, again }) {
  const parts = [
    ["parameterTemplate", "edit.start", variableLine, (entry) => askForVariable(entry)],
    ["outputsTemplate", "edit.results", outputLine, (entry) => askForOutput(entry, offers)],
  ];
  return parts.map(([name, title, line, question]) => {
    const entries = content()[name] ?? [];
    const put = (next) => {
      changed({ [name]: next.length > 0 ? next : null });
      again();
    };
    const { list, add } = entryList({ entries, line, question: (entry) => question(entry ?? {}), put, add: t(`${title}.add`) });
    return el(
      "details",
      { class: "designer-section", open: true },
      el("summary", {}, t(title)),
      el(
        "div",
        { class: "stack" },
        el("p", { class: "hint" }, t(`${title}.hint`)),
        list,
        el(
          "p",
          { class: "row" },
          add,
          name === "parameterTemplate" && entries.length > 0 && el("button", { type: "button", class: "small quiet", onclick: () => preview(entries) }, t("edit.start.preview")),
        ),
      ),
    );
  });
}

const variableLine = (entry) =>
  el("span", {}, said(entry.DisplayName || entry.Key), el("span", { class: "sub" }, el("code", {}, [entry.NameSpace, entry.Key].filter(Boolean).join(".")), ` ${t(`edit.type.${typeOf(entry)}`)}`));
const outputLine = (entry) => el("span", {}, said(entry.DisplayName || entry.Key), el("span", { class: "sub" }, el("code", {}, asText(entry.Value))));

const typeOf = ({ Type }) => TYPES.find((type) => type.toLowerCase() === (Type ?? "String").toLowerCase().replace(/<.*/, "")) ?? "String";

function preview(entries) {
  ask({ title: t("edit.start.preview"), confirm: t("close"), wide: true, content: new TemplateForm(entries).node, act: async () => true });
}

/** A text as the type of the variable has it; what is no JSON is left as it was written. */
function valueOf(text, type) {
  if (type === "String" || text.startsWith("Ref:")) return text;
  try {
    return parseExact(text);
  } catch {
    return text;
  }
}

function askForVariable(before) {
  const entry = new Entry(before);
  const lines = (text) => text.split("\n").map((line) => line.trim()).filter(Boolean);
  const allowed = Array.isArray(before.AllowedValues) ? before.AllowedValues.map(asText).join("\n") : asText(before.AllowedValues);
  const number = (name) => entry.field(name, { type: "number", take: Number });
  const content = [
    entry.field("Key", { hint: t("edit.entry.Key.hint") }),
    entry.field("DisplayName"),
    entry.choice("Type", TYPES.map((type) => [type, t(`edit.type.${type}`)]), typeOf(before)),
    entry.field("DefaultValue", { hint: t("edit.entry.DefaultValue.hint") }),
    entry.field("Description", { rows: 2 }),
    entry.field("AllowedValues", { rows: 3, value: allowed, hint: t("edit.entry.AllowedValues.hint"), take: lines }),
    el("div", { class: "grid" }, BOUNDS.map(number)),
    entry.field("AllowedPattern"),
    entry.field("ConstraintDescription"),
    entry.field("NameSpace", { hint: t("edit.entry.NameSpace.hint") }),
    FLAGS.map((name) => entry.check(name)),
  ];
  return ask({ title: t("edit.start.entry"), confirm: t("take"), wide: true, content, act: async () => checkedVariable(withValues(entry.made)) });
}

function withValues(made) {
  const next = { ...made };
  if (typeof next.DefaultValue === "string") next.DefaultValue = valueOf(next.DefaultValue, next.Type);
  if (Array.isArray(next.AllowedValues)) next.AllowedValues = next.AllowedValues.map((value) => (typeof value === "string" ? valueOf(value, next.Type) : value));
  return next;
}

function checked(made) {
  if (!made.Key) throw new Error(t("edit.entry.missing"));
  return made;
}

const NAME = /^[\p{L}_][\p{L}\p{N}_.-]*$/u;
const FITS = {
  Integer: (value) => isNumber(value) && Number.isInteger(Number(value)),
  Number: isNumber,
  Boolean: (value) => typeof value === "boolean",
  Map: isObject,
  List: Array.isArray,
};

/** A variable that the expressions of the model can name, and whose default is of its type. */
function checkedVariable(made) {
  checked(made);
  if (!NAME.test(made.Key)) throw new Error(t("edit.entry.Key.wrong", { name: made.Key }));
  const { DefaultValue: value, Type } = made;
  const fits = FITS[typeOf({ Type })];
  const refers = typeof value === "string" && value.startsWith("Ref:");
  if (value !== undefined && fits && !refers && !fits(value))
    throw new Error(t("edit.entry.DefaultValue.wrong", { value: asText(value), type: t(`edit.type.${typeOf({ Type })}`) }));
  return made;
}

function askForOutput(before, offers) {
  const entry = new Entry(before);
  const content = [
    entry.field("Key", { hint: t("edit.entry.Key.output") }),
    entry.field("DisplayName"),
    entry.field("Value", { rows: 2, hint: t("edit.condition.hint"), offers }),
  ];
  return ask({ title: t("edit.results.entry"), confirm: t("take"), wide: true, content, act: async () => checked(entry.made) });
}

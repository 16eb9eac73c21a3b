// What a task's stone takes and puts out, how it is undone, and what follows when it fails.

import { INPUTS, PROPERTIES } from "./editform.js";
import { el } from "./element.js";
import { asText } from "./exactjson.js";
import { t } from "./language.js";

const POLICIES = ["delete", "retain", "retain-except-on-failed-start"];
const PAUSE = /^pause (.+)$/;
const USUAL_PAUSE = "PT2H";
const FAILURES = ["", "rollback", "pause", "keep"];
const USUAL_RETRYING = { retries: "0", retryBackoff: "PT10S", retryBackoffMax: "PT1M", retryJitter: "0.2", retryFor: "PT1H" };
const RETRYING = Object.keys(USUAL_RETRYING);
const HINTED = ["retries", "retryBackoff", "retryJitter", "retryFor"];
/** What binds a task in files of other modelers, which the panel does not change. */
const ELSEWHERE = ["zeebe:taskDefinition", "flowable:type", "spiffworkflow:serviceTaskOperator"];

export const codeOf = (template) => template.properties.find(({ binding }) => binding.name === "camunda:topic")?.value;

/** A stone by its name, and by its code where that is another text. */
export const nameOf = (template) => (template.name === codeOf(template) ? template.name : `${template.name} · ${codeOf(template)}`);

/** The sections of a task that a stone may carry out; `template` and `declared` are null where none is known. */
export function stoneSections(form, { editor, templates, template, declared, chosen }) {
  const topic = form.object.get("camunda:topic");
  const bound = ELSEWHERE.find((type) => form.object.extensionElements?.values?.some((each) => each.$type === type));
  const options = [
    ["", t("edit.stone.none")],
    ...templates.map((each) => [each.id, nameOf(each)]),
    ...(topic && template === null ? [["?", topic]] : []),
  ];
  const choose = (value) => {
    const found = templates.find(({ id }) => id === value);
    if (found) chosen(editor.get("elementTemplates").applyTemplate(form.element, found));
    else if (value === "") form.set({ "camunda:type": undefined, "camunda:topic": undefined });
    form.again();
  };
  const unknown = topic && template === null ? t("edit.stone.unknown", { code: topic }) : "";
  const hint = declared?.description ?? (bound ? t("edit.stone.elsewhere", { name: bound }) : unknown);
  const now = () => template?.id ?? (topic ? "?" : "");
  return [
    form.section(t("edit.stone"), form.field(t("edit.stone.which"), now, choose, { options, hint })),
    template !== null && parameters(form, template, declared),
    (template !== null || topic) && [undo(form), retries(form), undoRetries(form)],
    declared?.outputs.length > 0 && outputs(form, declared),
  ];
}

function parameters(form, template, declared) {
  const shown = template.properties.filter(({ binding }) => binding.type === "camunda:inputParameter");
  const value = (name) => form.entry(INPUTS, name)?.value ?? "";
  const isMain = ({ group, binding }) => group !== "expert" || value(binding.name);
  const [main, more] = [shown.filter(isMain), shown.filter((each) => !isMain(each))];
  const fields = (properties) => properties.map((property) => parameter(form, property, value, declared));
  return [
    main.length > 0 && form.section(t("edit.parameters"), el("p", { class: "hint" }, t("edit.condition.hint")), fields(main)),
    more.length > 0 && form.rest(t("edit.parameters.more", { count: more.length }), false, fields(more)),
  ];
}

function parameter(form, property, value, declared) {
  const { name } = property.binding;
  const parameter = declared?.parameters.find((each) => each.name === name) ?? {};
  const left = t(parameter.required ? "edit.left.variable" : "edit.left.default");
  const choices = property.choices?.map((choice) => [choice.value, choice.value === "" ? left : choice.name]);
  const hint = [parameter.description, parameter.noEcho && t("edit.secret", { name })].filter(Boolean).join(" ");
  return form.field(
    property.label,
    () => value(name),
    (text) => form.write(INPUTS, name, text || undefined),
    {
      hint,
      hints: true,
      options: choices,
      needed: property.constraints?.notEmpty,
      code: name,
      placeholder: usual(parameter) || (parameter.required ? t("edit.left.variable") : ""),
    },
  );
}

function usual({ default: value, noEcho }) {
  if (value === null || value === undefined || value === "" || noEcho) return "";
  return asText(value);
}

function undo(form) {
  return form.section(
    t("edit.undo"),
    property(form, t("edit.undo.policy"), "undoPolicy", {
      usual: "delete",
      options: POLICIES.map((key) => [key, t(`edit.undo.${key}`)]),
    }),
    failureField(form),
    ...backFields(form),
  );
}

function retries(form) {
  return form.section(t("edit.retrying"), retryFields(form, (name) => name));
}

/** The same of what undoes; where nothing is said, the stone says it. */
function undoRetries(form) {
  const named = (name) => `undo${name[0].toUpperCase()}${name.slice(1)}`;
  const used = RETRYING.some((name) => form.entry(PROPERTIES, named(name))?.value);
  return form.rest(t("edit.undoRetrying"), used, retryFields(form, named));
}

function retryFields(form, named) {
  return RETRYING.map((name) => {
    const hint = HINTED.includes(name) ? t(`edit.${name}.hint`) : "";
    return property(form, t(`edit.${named(name)}`), named(name), { mono: true, placeholder: USUAL_RETRYING[name], hint });
  });
}

/** What follows a failure; of the process, what follows those that say nothing themselves. */
export function failureField(form) {
  const whole = form.is("Process");
  const options = FAILURES.filter((key) => !whole || key !== "rollback").map((key) => [key, t(`edit.failure.${key || (whole ? "usual" : "process")}`)]);
  const [, time] = PAUSE.exec(form.entry(PROPERTIES, "onFailure")?.value ?? "") ?? [];
  if (time === undefined) return property(form, t("edit.failure"), "onFailure", { options: [...options, [`pause ${USUAL_PAUSE}`, t("edit.failure.time")]], redraw: true });
  const write = (text) => form.write(PROPERTIES, "onFailure", `pause ${text || USUAL_PAUSE}`);
  return [
    property(form, t("edit.failure"), "onFailure", { options: [...options, [`pause ${time}`, t("edit.failure.time")]], redraw: true }),
    form.field(t("edit.failure.how.long"), () => PAUSE.exec(form.entry(PROPERTIES, "onFailure")?.value ?? "")?.[1] ?? time, write, { mono: true, placeholder: USUAL_PAUSE, hint: t("edit.failure.hint") }),
  ];
}

/** Whether stones undo what was made, on the way of an error and in a compensation. */
export function backFields(form) {
  const options = (name, first) => ["", "true", "false"].map((key) => [key, t(`edit.${name}.${key || first}`)]);
  const inside = form.is("Process") ? "usual" : "around";
  return [
    form.is("Activity") && property(form, t("edit.onError"), "undoOnError", { options: options("onError", "usual").slice(0, 2) }),
    property(form, t("edit.onCompensation"), "undoOnCompensation", { options: options("onCompensation", inside) }),
  ];
}

/** One of the modeler's free properties. */
export function property(form, label, name, { usual = "", ...options }) {
  return form.field(
    label,
    () => form.entry(PROPERTIES, name)?.value || usual,
    (value) => form.write(PROPERTIES, name, value && value !== usual ? value : undefined),
    options,
  );
}

function outputs(form, declared) {
  const item = ({ name, description }) =>
    el(
      "li",
      {},
      el("code", { "data-output": name }, `\${outputs.${form.object.id}.${name}}`),
      description && el("span", { class: "sub" }, description),
    );
  return form.section(t("edit.outputs"), el("ul", { class: "designer-outputs" }, declared.outputs.map(item)));
}

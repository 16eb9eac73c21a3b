// What is asked before a task is run again, skipped or done by hand.

import { el, said } from "./element.js";
import { ask } from "./dialog.js";
import { asText, isObject } from "./exactjson.js";
import { readObject } from "./jsontext.js";
import { t } from "./language.js";
import { holdsMask, keepsMembers } from "./masked.js";
import { RepairPlan } from "./repairplan.js";
import { get, put } from "./server.js";
import { ValueForm } from "./valueform.js";

/** Of the variables that a process holds so many have a field; any other is set by its name. */
const MOST_FIELDS = 100;

const KINDS = { string: "text", integer: "number", float: "number", decimal: "number", boolean: "truth" };

/** How one parameter is asked for: by the kind of what it is, else of what the stone says that it takes. */
function parameterField(name, value, declared) {
  const beside = keepsMembers(value) && declared?.noEcho !== true;
  const secret = (holdsMask(value) && !beside) || declared?.noEcho === true;
  const isJson = isObject(value) || Array.isArray(value);
  const about = secret && value !== undefined ? t(isJson ? "set.secret" : "rerun.secret") : beside && t("set.members");
  const declaredKind = KINDS[declared?.type ?? "string"] ?? "json";
  // What is typed for a secret is its text; only one that is more than that is JSON.
  const kind = secret ? (isJson ? "json" : "text") : value === undefined ? declaredKind : null;
  return {
    name,
    label: declared?.displayName ?? "",
    hint: [declared?.description, about].filter(Boolean).join(" · "),
    kind,
    value: value ?? undefined,
    options: declared?.allowedValues?.map(asText),
    secret,
  };
}

/** Whether what is typed is no JSON, or not yet. */
function isWrong(field) {
  return field.text !== "" && (field.value === undefined || typeof field.value !== "object");
}

async function declarationOf(code) {
  const stones = await get("stone").catch(() => []);
  return stones.find((stone) => stone.code === code)?.parameters ?? [];
}

export async function askToRerun(task) {
  const declared = await declarationOf(task.stone);
  const values = readObject(task.params);
  const byName = new Map(declared.map((parameter) => [parameter.name, parameter]));
  const names = [...new Set([...Object.keys(values), ...byName.keys()])];
  const fields = names.map((name) => parameterField(name, values[name], byName.get(name)));
  const form = new ValueForm({ fields, label: t("parameters"), changed: true });
  const given = () => ({ parameters: form.values, attempt: task.attempt });
  const plan = RepairPlan.ofTask(task.taskId, "retry", () => (form.asJson && isWrong(form.json) ? null : given()));
  await plan.show();
  return ask({
    title: t("rerun.title", { name: task.name }),
    confirm: t("rerun.do"),
    wide: true,
    content: [
      task.reason && el("p", { class: "reason" }, said(task.reason)),
      fields.length > 0 && el("p", {}, t("rerun.text")),
      form.node,
      plan.node,
    ],
    changed: () => plan.later(),
    act: () => form.check() && put(`task/${task.taskId}/reRun`, given()),
  });
}

/** Roll back the process in which something has failed. */
export function askToRollBack(process) {
  return ask({
    title: t("resume.title"),
    confirm: t("resume.do"),
    danger: true,
    content: el("p", {}, t("resume.text")),
    act: () => put(`process/${process.processInstanceId}/rollback`, undefined),
  });
}

/** Go on without what has failed: a task, or an element that has none. */
export async function askToSkip(failure, process, name, attempt) {
  const { taskId, elementId } = failure;
  const plan = taskId
    ? RepairPlan.ofTask(taskId, "skip", () => ({ attempt }))
    : RepairPlan.ofElement(process.processInstanceId, "skip", elementId);
  await plan.show();
  return ask({
    title: t("pass.title", { name }),
    confirm: t("pass.do"),
    danger: true,
    content: [el("p", {}, t(taskId ? "pass.text" : "pass.element")), plan.node],
    act: () =>
      taskId
        ? put(`task/${taskId}/skip`, { attempt })
        : put(`process/${process.processInstanceId}/skip`, { elementId }),
  });
}

export async function askForHandWork(task) {
  const stones = await get("stone").catch(() => []);
  const declared = stones.find((stone) => stone.code === task.stone)?.outputs ?? [];
  const fields = declared.map(({ name, description, secret }) => ({ name, hint: description, secret }));
  const outputs = new ValueForm({ fields, label: t("outputs") });
  const given = () => ({ outputs: outputs.values, attempt: task.attempt });
  const plan = RepairPlan.ofTask(task.taskId, "done-by-hand", () => (outputs.asJson && isWrong(outputs.json) ? null : given()));
  await plan.show();
  return ask({
    title: t("hand.title", { name: task.name }),
    confirm: t("hand.do"),
    content: [el("p", {}, t("hand.text")), outputs.node, plan.node],
    changed: () => plan.later(),
    act: () => outputs.check() && put(`task/${task.taskId}/done`, given()),
  });
}

/** Set what a process knows: what it holds now is there to be changed, and anything can be added. */
export async function askForVariables(process) {
  const { variables } = await get(`process/${process.processInstanceId}/variables`);
  const fields = Object.entries(variables).map(([name, value]) => ({ name, value, ...(holdsMask(value) ? hidden(value) : {}) }));
  const form = new ValueForm({ fields: fields.slice(0, MOST_FIELDS), label: t("variables"), changed: true });
  return ask({
    title: t("set.title"),
    confirm: t("set.do"),
    content: [el("p", {}, t("set.hint")), form.node],
    act: () => form.check() && put(`process/${process.processInstanceId}/variables`, { variables: form.values }),
  });
}

/** How a value is asked for that is a secret, or in which one is hidden. */
function hidden(value) {
  if (keepsMembers(value)) return { hint: t("set.members") };
  return { secret: true, hint: t(typeof value === "string" ? "rerun.secret" : "set.secret") };
}

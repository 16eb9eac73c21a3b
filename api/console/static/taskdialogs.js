// What is asked before a task is run again, skipped or done by hand.

import { el, said, unique } from "./element.js";
import { ask } from "./dialog.js";
import { asText, isObject, parseExact, writeExact } from "./exactjson.js";
import { JsonField, readObject } from "./jsontext.js";
import { t } from "./language.js";
import { holdsMask, keepsMembers } from "./masked.js";
import { RepairPlan } from "./repairplan.js";
import { get, put } from "./server.js";
import { ValueForm } from "./valueform.js";

/** Of the variables that a process holds so many have a field; any other is set by its name. */
const MOST_FIELDS = 100;

/** One parameter: a text stays a text, anything else is JSON; what is not touched is not sent. */
class ParameterField {
  constructor(name, value, declared) {
    this.name = name;
    const beside = keepsMembers(value) && declared?.noEcho !== true;
    this.secret = (holdsMask(value) && !beside) || declared?.noEcho === true;
    const isJson = isObject(value) || Array.isArray(value);
    // What is typed for a secret is its text; only one that is more than that is JSON. No field keeps a carriage return.
    this.isText = (this.secret && !isJson) || (typeof value === "string" && !value.includes("\r")) || (value === undefined && (declared?.type ?? "string") === "string");
    this.first = this.secret || value === undefined ? "" : this.isText ? value : writeExact(value);
    const id = unique("parameter");
    const long = this.first.length > 60 || this.first.includes("\n") || (this.secret && isJson);
    const hint = [
      declared?.description,
      this.secret && value !== undefined && t(isJson ? "set.secret" : "rerun.secret"),
      beside && t("set.members"),
      !this.isText && (isJson || typeof value === "string") && "JSON",
    ]
      .filter(Boolean)
      .join(" · ");
    const shared = {
      id,
      spellcheck: "false",
      autocomplete: "off",
      value: this.first,
      "aria-describedby": hint ? `${id}-hint` : null,
    };
    if (this.secret && !isJson) this.input = el("input", { ...shared, type: "password", autocomplete: "new-password" });
    else if (declared?.allowedValues && !long) this.input = this.#select(shared, declared.allowedValues);
    else
      this.input = long
        ? el("textarea", { ...shared, rows: 4, class: "code" })
        : el("input", { ...shared, type: "text" });
    // A textarea has only one kind of line break.
    this.first = this.input.value;
    const label =
      declared?.displayName && declared.displayName !== name
        ? [said(declared.displayName), " ", el("code", {}, name)]
        : said(name);
    this.node = el(
      "div",
      { class: "field" },
      el("label", { for: id }, label),
      this.input,
      hint && el("p", { class: "hint", id: `${id}-hint` }, hint),
    );
  }

  #select(shared, allowed) {
    const texts = allowed.map(asText);
    if (!texts.includes(this.first)) texts.unshift(this.first);
    const select = el(
      "select",
      { ...shared, value: null },
      texts.map((text) => el("option", { value: text }, text)),
    );
    select.value = this.first;
    return select;
  }

  /** Whether it was edited. */
  get edited() {
    return this.input.value !== this.first;
  }

  get value() {
    if (this.isText) return this.input.value;
    try {
      return parseExact(this.input.value);
    } catch (error) {
      throw new Error(`${this.name}: ${t("json.wrong", { text: error.message })}`);
    }
  }
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
  const fields = names.map((name) => new ParameterField(name, values[name], byName.get(name)));
  const others = new JsonField({ label: t("rerun.more"), rows: 3, hint: t("rerun.more.hint") });
  const given = () => {
    const parameters = { ...others.value };
    for (const field of fields) if (field.edited) parameters[field.name] = field.value;
    return { parameters, attempt: task.attempt };
  };
  const plan = RepairPlan.ofTask(task.taskId, "retry", () => (isWrong(others) ? null : given()));
  await plan.show();
  return ask({
    title: t("rerun.title", { name: task.name }),
    confirm: t("rerun.do"),
    wide: true,
    content: [
      task.reason && el("p", { class: "reason" }, said(task.reason)),
      fields.length > 0 && el("p", {}, t("rerun.text")),
      el(
        "div",
        { class: "grid" },
        fields.map(({ node }) => node),
      ),
      others.node,
      plan.node,
    ],
    changed: () => plan.later(),
    act: () => others.check() && put(`task/${task.taskId}/reRun`, given()),
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

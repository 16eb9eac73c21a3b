// What activities besides stones are: people's tasks, calls of processes and decisions, repetition, and mappings.

import { DecisionTable } from "./decisiontable.js";
import { fieldsSection } from "./editfields.js";
import { INPUTS, OUTPUTS } from "./editform.js";
import { property } from "./editstone.js";
import { el } from "./element.js";
import { adder, remover } from "./entrylist.js";
import { t } from "./language.js";

const BINDINGS = ["latest", "deployment", "version", "versionTag"];

export function personSection(form) {
  const one = (name, options = {}) =>
    form.attribute(t(`edit.${name}`), `camunda:${name}`, { hints: true, hint: t(`edit.${name}.hint`), ...options });
  return [
    form.section(
      t("edit.person"),
      one("assignee", { placeholder: "ann" }),
      one("candidateGroups"),
      one("candidateUsers"),
      one("dueDate", { placeholder: "P3D" }),
      one("followUpDate", { placeholder: "P1D" }),
      one("priority", { placeholder: "50" }),
    ),
    formSections(form, "edit.fields.hint"),
  ];
}

/** What whoever starts the process fills in; nobody does where something triggers it. */
export function startSections(form) {
  const { $parent: parent, eventDefinitions } = form.object;
  const byHand = parent?.$type === "bpmn:Process" && !(eventDefinitions?.length > 0);
  return byHand && formSections(form, "edit.fields.start.hint");
}

/** Fields that are drawn with the element, or the form that it names. */
function formSections(form, hint) {
  return [
    !form.object.get("camunda:formRef") && fieldsSection(form, t(hint)),
    form.rest(
      t("edit.form"),
      Boolean(form.object.get("camunda:formRef") || form.object.get("camunda:formKey")),
      form.attribute(t("edit.formRef"), "camunda:formRef", { mono: true, hint: t("edit.formRef.hint") }),
      form.attribute(t("edit.formKey"), "camunda:formKey", { mono: true, hint: t("edit.formKey.hint") }),
    ),
  ];
}

/** Which version of a process or decision is meant. */
function versionFields(form, name) {
  const binding = `camunda:${name}Binding`;
  const chosen = () => form.object.get(binding) ?? "latest";
  const choose = (value) =>
    form.set({
      [binding]: value === "latest" ? undefined : value,
      [`camunda:${name}Version`]: undefined,
      [`camunda:${name}VersionTag`]: undefined,
    });
  const options = BINDINGS.map((key) => [key, t(`edit.binding.${key}`)]);
  return [
    form.field(t("edit.binding"), chosen, choose, { options, redraw: true }),
    chosen() === "version" && form.attribute(t("edit.binding.version"), `camunda:${name}Version`, { placeholder: "1" }),
    chosen() === "versionTag" && form.attribute(t("edit.binding.versionTag"), `camunda:${name}VersionTag`),
  ];
}

/** A choice among what is deployed, or the text that an expression has put there. */
function named(form, label, name, known) {
  const options = [["", t("choose")], ...known.map((key) => [key, key])];
  return form.attribute(label, name, { options });
}

export function callSections(form, keys) {
  const all = (kind) => callMapping(form, kind)?.get("variables") === "all";
  const setAll = (kind, on) => {
    const found = callMapping(form, kind);
    if (on && !found) form.extend(`camunda:${kind}`, { variables: "all" });
    else if (!on && found) {
      const { extensionElements } = form.object;
      form.put(extensionElements, { values: extensionElements.values.filter((each) => each !== found) });
    }
  };
  const mapped = (kind) => form.object.extensionElements?.values?.filter(({ $type }) => $type === `camunda:${kind}`) ?? [];
  const one = (kind) => pairs(form, kind, mapped(kind).filter((each) => !each.get("variables") && !each.get("businessKey")));
  return [
    form.section(t("edit.call"), named(form, t("edit.called"), "calledElement", keys), versionFields(form, "calledElement")),
    form.section(
      t("edit.call.in"),
      form.check(t("edit.call.all"), () => all("In"), (on) => setAll("In", on)),
      one("In"),
    ),
    form.section(
      t("edit.call.out"),
      form.check(t("edit.call.all"), () => all("Out"), (on) => setAll("Out", on)),
      one("Out"),
    ),
  ];
}

const callMapping = (form, kind) =>
  form.object.extensionElements?.values?.find((each) => each.$type === `camunda:${kind}` && each.get("variables") === "all");

/** Values that go into a called process, or come out of it: an expression, and the name it gets. */
function pairs(form, kind, entries) {
  const { object } = form;
  const drop = (entry) => {
    form.put(object.extensionElements, { values: object.extensionElements.values.filter((each) => each !== entry) });
    form.again();
  };
  const add = () => {
    let extensions = object.extensionElements;
    if (!extensions) {
      extensions = form.make("bpmn:ExtensionElements", { values: [] });
      extensions.$parent = object;
      form.put(object, { extensionElements: extensions });
    }
    const made = form.make(`camunda:${kind}`, { source: "", target: "" });
    made.$parent = extensions;
    form.put(extensions, { values: [...extensions.values, made] });
    form.again();
  };
  const from = (entry) => entry.get("sourceExpression") ?? entry.get("source") ?? "";
  const write = (entry, value) =>
    form.put(entry, value.includes("{") ? { sourceExpression: value, source: undefined } : { source: value, sourceExpression: undefined });
  return [
    entries.map((entry) =>
      el(
        "div",
        { class: "designer-pair" },
        form.field(t("edit.pair.from"), () => from(entry), (value) => write(entry, value), { mono: true, hints: true }),
        form.part(t("edit.pair.to"), entry, "target", { mono: true }),
        remover(() => drop(entry)),
      ),
    ),
    adder(t("edit.pair.add"), add),
  ];
}

export function decisionSection(form, decisions) {
  const table = new DecisionTable();
  const show = () => table.show(form.object.get("camunda:decisionRef") || null);
  const section = form.section(
    t("edit.decision"),
    named(form, t("edit.decision.which"), "camunda:decisionRef", decisions),
    versionFields(form, "decisionRef"),
    form.attribute(t("edit.result"), "camunda:resultVariable", { mono: true, hint: t("edit.result.hint") }),
    form.attribute(t("edit.mapping"), "camunda:mapDecisionResult", {
      options: ["", "singleEntry", "singleResult", "collectEntries", "resultList"].map((key) => [key, t(`edit.mapping.${key || "usual"}`)]),
    }),
    table.node,
  );
  section.addEventListener("change", show);
  show();
  return section;
}

export function scriptSection(form) {
  return form.section(
    t("edit.script"),
    form.attribute(t("edit.script.format"), "scriptFormat", { placeholder: "python" }),
    form.attribute(t("edit.script.text"), "script", { rows: 6, mono: true, hint: t("edit.script.hint") }),
    form.attribute(t("edit.result"), "camunda:resultVariable", { mono: true }),
  );
}

export function repetitionSection(form) {
  const loop = form.object.loopCharacteristics;
  if (loop?.$type === "bpmn:StandardLoopCharacteristics")
    return form.section(
      t("edit.again"),
      form.inside(t("edit.again.while"), loop, "loopCondition", { placeholder: "${loopCounter < 3}" }),
      form.part(t("edit.again.most"), loop, "loopMaximum", { placeholder: "10" }),
      form.check(t("edit.again.first"), () => Boolean(loop.testBefore), (on) => form.put(loop, { testBefore: on })),
    );
  if (loop?.$type !== "bpmn:MultiInstanceLoopCharacteristics") return null;
  return form.section(
    t("edit.loop"),
    form.part(t("edit.loop.collection"), loop, "camunda:collection", { mono: true, hints: true, placeholder: "${servers}" }),
    form.part(t("edit.loop.element"), loop, "camunda:elementVariable", { mono: true, placeholder: "server" }),
    form.inside(t("edit.loop.count"), loop, "loopCardinality", { placeholder: "3", hint: t("edit.loop.count.hint") }),
    form.check(t("edit.loop.sequential"), () => Boolean(loop.isSequential), (on) => form.put(loop, { isSequential: on })),
    property(form, t("edit.loop.most"), "maxAtOnce", { placeholder: "5", hint: t("edit.loop.most.hint") }),
    form.inside(t("edit.loop.done"), loop, "completionCondition", { placeholder: "${nrOfCompletedInstances >= 2}" }),
  );
}

/** Inputs and outputs of an activity that no stone has declared: a name, and what it is. */
export function mappingSections(form, declared) {
  const known = new Set(declared?.parameters.map(({ name }) => name) ?? []);
  const inputs = (form.extension("camunda:InputOutput")?.inputParameters ?? []).filter(({ name }) => !known.has(name));
  const outputs = form.extension("camunda:InputOutput")?.outputParameters ?? [];
  return [mapping(form, "edit.inputs", INPUTS, inputs), mapping(form, "edit.outputs.mapped", OUTPUTS, outputs)];
}

function mapping(form, title, list, entries) {
  const drop = (entry) => {
    form.removeEntry(list, entry);
    form.again();
  };
  const add = () => {
    form.addEntry(list, { name: "", value: "" });
    form.again();
  };
  return form.rest(
    t(title),
    entries.length > 0,
    entries.map((entry) =>
      el(
        "div",
        { class: "designer-pair" },
        form.part(t("edit.mapping.name"), entry, "name", { mono: true }),
        entry.definition
          ? el("p", { class: "hint" }, t("edit.mapping.complex"))
          : form.part(t("edit.mapping.value"), entry, "value", { mono: true, hints: true }),
        remover(() => drop(entry)),
      ),
    ),
    adder(t("edit.pair.add"), add),
  );
}

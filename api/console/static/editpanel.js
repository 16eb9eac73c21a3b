// What the chosen element of the drawing is and takes: a form made from what its stone declares, and plain words.

import { callSections, decisionSection, mappingSections, personSection, repetitionSection, scriptSection, startSections } from "./editactivity.js";
import { eventSections } from "./editevent.js";
import { flowSection, waysSection } from "./editflow.js";
import { Form } from "./editform.js";
import { suggestionsFor } from "./edithints.js";
import { backFields, codeOf, failureField, nameOf, stoneSections } from "./editstone.js";
import { el, fill, said } from "./element.js";
import { has, t } from "./language.js";
import { templateSections } from "./templateeditor.js";

const ID = /^[A-Za-z_][\w.-]*$/;

export class Panel {
  /** `known` is what the server has: `stones`, `keys` of processes, `decisions`; `content` the model's templates. */
  constructor({ editor, known, content, contentChanged }) {
    Object.assign(this, { editor, known, content, contentChanged });
    this.node = el("aside", { class: "designer-panel", "aria-label": t("edit.panel") });
    this.shown = null;
    this.form = null;
    this.title = el("h2");
  }

  show(element, force = false) {
    // Also while somebody types in its form.
    if (this.form !== null && element === this.shown) this.#entitle();
    if (this.form?.busy) return;
    // The form of an element stays while somebody types in it.
    if (!force && element === this.shown && this.#typing) return this.form?.refresh();
    const focus = element === this.shown ? this.#keptFocus() : () => {};
    this.shown = element;
    if (element === null) {
      this.form = null;
      fill(this.node, el("p", { class: "faint padded" }, t("edit.several")));
      return;
    }
    if (!element.businessObject) return;
    // The columns of decisions are read before anybody asks for them.
    this.suggestions(element);
    this.form = new Form({
      editor: this.editor,
      element,
      again: () => this.show(this.editor.chosen ?? element, true),
      suggestions: () => this.suggestions(element),
    });
    fill(this.node, this.#head(), this.#sections());
    focus();
  }

  get #typing() {
    const { activeElement } = document;
    return this.node.contains(activeElement) && activeElement.matches("input:not([type=checkbox]), textarea, select");
  }

  /** A function that gives the focus back when the form is drawn anew: to the same one of those that are called so. */
  #keptFocus() {
    const nameOf = (node) => node.ariaLabel ?? node.labels?.[0]?.textContent ?? node.textContent;
    const called = (name) => [...this.node.querySelectorAll("summary, button, input, textarea, select")].filter((node) => nameOf(node) === name);
    const { activeElement } = document;
    if (!this.node.contains(activeElement)) return () => {};
    const name = nameOf(activeElement);
    const place = called(name).indexOf(activeElement);
    return () => called(name)[place]?.focus();
  }

  suggestions(element = this.editor.chosen) {
    const variables = (this.content().parameterTemplate ?? []).filter((entry) => entry?.Key);
    return suggestionsFor({ element, variables, declarationOf: (object) => this.declarationOf(object), columnsOf: (name) => this.known.columns.of(name) });
  }

  templateOf(object) {
    const topic = object.$instanceOf?.("bpmn:Activity") ? object.get("camunda:topic") : null;
    return topic ? (this.editor.templates.find((template) => codeOf(template) === topic) ?? null) : null;
  }

  declarationOf(object) {
    const topic = object.$instanceOf?.("bpmn:Activity") ? object.get("camunda:topic") : null;
    return topic ? (this.known.stones.find(({ code }) => code === topic) ?? null) : null;
  }

  #head() {
    const { object } = this.form;
    this.#entitle();
    const template = this.templateOf(object);
    const kind = `bpmn.${object.$type.replace("bpmn:", "")}`;
    const word = has(kind) ? t(kind) : object.$type.replace("bpmn:", "").replace(/([a-z])([A-Z])/g, "$1 $2");
    return el(
      "div",
      { class: "designer-panel-head" },
      this.title,
      el("p", { class: "sub" }, template ? nameOf(template) : word),
    );
  }

  #entitle() {
    const { object } = this.form;
    fill(this.title, said(object.name || object.id));
    // Under its id its outputs are read, which is said in several places.
    for (const node of this.node.querySelectorAll("[data-output]")) node.textContent = `\${outputs.${object.id}.${node.dataset.output}}`;
    for (const node of this.node.querySelectorAll("[data-id-hint] .hint")) node.textContent = t("edit.id.hint", { id: object.id });
  }

  #sections() {
    const { form } = this;
    const { object } = form;
    const stone = form.is("ServiceTask", "SendTask", "BusinessRuleTask") || object.$type === "bpmn:Task";
    const declared = this.declarationOf(object);
    const decides = form.is("BusinessRuleTask") && !object.get("camunda:topic");
    return [
      this.#general(),
      stone && stoneSections(form, { ...this.#stone(object), declared }),
      decides && decisionSection(form, this.known.decisions),
      form.is("UserTask") && personSection(form),
      form.is("StartEvent") && startSections(form),
      form.is("CallActivity") && callSections(form, this.known.keys),
      form.is("ScriptTask") && scriptSection(form),
      form.is("SequenceFlow") && flowSection(form),
      form.is("Gateway", "Activity") && waysSection(form),
      eventSections(form),
      form.is("Activity") && repetitionSection(form),
      form.is("Activity") && !form.is("CallActivity") && mappingSections(form, declared),
      form.is("SubProcess", "CallActivity") && form.rest(t("edit.undo"), false, failureField(form), ...backFields(form)),
      this.#isWhole() && templateSections({ content: this.content, changed: this.contentChanged, offers: () => this.suggestionsOfWhole(), again: form.again }),
      this.#isWhole() && form.section(t("edit.process.failure"), failureField(form), ...backFields(form)),
    ];
  }

  /** What an output of the whole process may name: the outputs of all its activities. */
  suggestionsOfWhole() {
    const found = [];
    for (const { businessObject: object } of this.editor.get("elementRegistry").getAll()) {
      for (const { name, description } of (object && this.declarationOf(object)?.outputs) ?? [])
        found.push([`\${outputs.${object.id}.${name}}`, [object.name ?? object.id, description].filter(Boolean).join(" · ")]);
    }
    return [...new Map(found).entries()];
  }

  #stone(object) {
    return {
      editor: this.editor,
      templates: this.editor.templates,
      template: this.templateOf(object),
      chosen: (element) => setTimeout(() => this.editor.get("selection").select(element)),
    };
  }

  #isWhole() {
    return this.form.is("Process") || this.form.is("Collaboration");
  }

  #general() {
    const { form } = this;
    const { object, element } = form;
    const free = (id) => id === object.id || !this.editor.get("moddle").ids.assigned(id);
    const refused = (id) => (!ID.test(id) ? t("edit.id.wrong", { id: object.id }) : !free(id) ? t("edit.id.taken", { id: object.id }) : "");
    const rename = (id) => {
      const templates = this.content().outputsTemplate;
      const before = object.id;
      this.editor.rename(element, id);
      if (templates && form.is("Activity")) this.contentChanged({ outputsTemplate: this.editor.renameIn(templates, before, id) });
    };
    const hint = form.is("Activity") ? t("edit.id.hint", { id: object.id }) : form.is("Process") ? t("edit.key.hint") : "";
    const note = () => object.documentation?.[0]?.text ?? "";
    const document = (value) => form.set({ documentation: value ? [form.make("bpmn:Documentation", { text: value })] : [] });
    return form.section(
      t("edit.general"),
      this.#isWhole() && form.field(t("edit.model.name"), () => this.content().name ?? "", (name) => this.contentChanged({ name })),
      form.attribute(t(this.#isWhole() ? "edit.process.name" : "edit.name"), "name", { rows: form.is("FlowNode") ? 2 : 0 }),
      el("div", { "data-id-hint": form.is("Activity") ? "" : null }, form.field(t(form.is("Process") ? "fact.key" : "edit.id"), () => object.id, rename, { mono: true, hint, refused })),
      form.field(t("edit.documentation"), note, document, { rows: 2 }),
    );
  }
}

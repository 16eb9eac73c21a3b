// The form of one element of the drawing: fields that read from it and write to it, each change one step of undo.

import { el, said, unique } from "./element.js";
import { offer } from "./edithints.js";
import { t } from "./language.js";

const TYPING = 250;

/** A press of the pointer. What is written during one redraws what is being pressed, and the click would be lost: it is written at its end, before whoever is clicked acts. */
class Press {
  constructor() {
    this.down = false;
    this.waiting = [];
    addEventListener("pointerdown", () => (this.down = true), true);
    addEventListener("click", () => this.#end(), true);
    // A press that became no click, such as a drag.
    for (const event of ["pointerup", "pointercancel"]) addEventListener(event, () => setTimeout(() => this.#end()), true);
  }

  after(act) {
    if (this.down) this.waiting.push(act);
    else act();
  }

  #end() {
    this.down = false;
    for (const act of this.waiting.splice(0)) act();
  }
}

const press = new Press();

export class Form {
  /** `again` draws the form anew, where other fields belong to the element now. */
  constructor({ editor, element, suggestions, again }) {
    this.editor = editor;
    this.element = element;
    this.object = element.businessObject;
    this.suggestions = suggestions;
    this.again = () => setTimeout(again);
    this.fields = [];
    this.commits = [];
    this.busy = false;
  }

  is(...types) {
    return types.some((type) => this.object.$instanceOf?.(`bpmn:${type}`));
  }

  section(title, ...children) {
    return el(
      "details",
      { open: true, class: "designer-section" },
      el("summary", {}, title),
      el("div", { class: "stack" }, children),
    );
  }

  /** The same, shut unless something in it is set. */
  rest(title, used, ...children) {
    const node = this.section(title, ...children);
    node.open = used;
    return node;
  }

  field(label, read, write, options = {}) {
    const { hint = "", needed = false, code = "" } = options;
    const id = unique("edit");
    const { input, list, wrong } = options.options ? this.#choice(id, read, write, options) : this.#text(id, read, write, options);
    this.fields.push([input, read]);
    return el(
      "div",
      { class: "field" },
      el(
        "label",
        { for: id },
        said(label),
        code && code !== label && el("code", {}, code),
        needed && el("span", { class: "needed" }, t("needed")),
      ),
      input,
      list,
      hint && el("p", { class: "hint", id: `${id}-hint` }, hint),
      wrong,
    );
  }

  #choice(id, read, write, { options, redraw = false }) {
    const changed = () => {
      this.doing(() => write(input.value));
      if (redraw) this.again();
    };
    const now = read();
    const known = options.some(([value]) => value === now);
    const all = known ? options : [...options, [now, now]];
    const input = el(
      "select",
      { id, onchange: changed },
      all.map(([value, text]) => el("option", { value, selected: value === now }, text)),
    );
    return { input, list: null, wrong: null };
  }

  #text(id, read, write, { hint = "", hints = false, rows = 0, placeholder = "", mono = false, type = "text", code = "", refused = () => "" }) {
    const wrong = el("p", { class: "wrong", id: `${id}-wrong`, "aria-live": "polite" });
    const input = el(rows ? "textarea" : "input", {
      id,
      rows: rows || null,
      type: rows ? null : type,
      value: read(),
      placeholder,
      spellcheck: "false",
      autocomplete: "off",
      class: mono ? "code" : null,
      "aria-describedby": `${hint ? `${id}-hint ` : ""}${id}-wrong`,
    });
    let timer = 0;
    const commit = () => {
      clearTimeout(timer);
      wrong.textContent = input.value === read() ? "" : refused(input.value);
      input.setAttribute("aria-invalid", String(wrong.textContent !== ""));
      if (input.value !== read() && wrong.textContent === "") this.doing(() => write(input.value));
    };
    const soon = () => press.after(commit);
    input.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(soon, TYPING);
    });
    input.addEventListener("change", soon);
    this.commits.push(commit);
    return { input, list: hints ? offer(input, () => sameFirst(this.suggestions(), code), commit) : null, wrong };
  }

  check(label, read, write, { hint = "", redraw = false } = {}) {
    const id = unique("edit");
    const changed = (event) => {
      this.doing(() => write(event.target.checked));
      if (redraw) this.again();
    };
    return el(
      "div",
      { class: "field" },
      el("div", { class: "check" }, el("input", { type: "checkbox", id, checked: read(), onchange: changed }), el("label", { for: id }, label)),
      hint && el("p", { class: "hint" }, hint),
    );
  }

  /** Other values that the element has by now; not where somebody types. */
  refresh() {
    for (const [input, read] of this.fields) if (document.activeElement !== input) input.value = read();
  }

  /** Take over what was typed last. */
  settle() {
    for (const commit of this.commits) commit();
  }

  doing(act) {
    this.busy = true;
    try {
      act();
    } finally {
      this.busy = false;
    }
  }

  // -- the element

  get modeling() {
    return this.editor.get("modeling");
  }

  make(type, properties) {
    return this.editor.get("bpmnFactory").create(type, properties);
  }

  set(properties) {
    this.modeling.updateProperties(this.element, properties);
  }

  /** Set what hangs on the element: an event's definition, a marker, an extension. */
  put(object, properties) {
    this.modeling.updateModdleProperties(this.element, object, properties);
  }

  expression(text) {
    return text ? this.make("bpmn:FormalExpression", { body: text }) : undefined;
  }

  /** A field for an attribute of the element. */
  attribute(label, name, options = {}) {
    return this.field(label, () => this.object.get(name) ?? "", (value) => this.set({ [name]: value || undefined }), options);
  }

  /** A field for an attribute of what hangs on the element. */
  part(label, object, name, options = {}) {
    return this.field(label, () => object.get(name) ?? "", (value) => this.put(object, { [name]: value || undefined }), options);
  }

  /** A field for an expression inside of what hangs on the element. */
  inside(label, object, name, options = {}) {
    const put = (value) => this.put(object, { [name]: this.expression(value) });
    return this.field(label, () => object[name]?.body ?? "", put, { mono: true, hints: true, ...options });
  }

  extension(type) {
    return this.object.extensionElements?.values?.find((each) => each.$type === type);
  }

  /** What of an element's extension has this name, such as one input. */
  entry([holder, list], name) {
    return (this.extension(holder)?.get(list) ?? []).find((each) => each.name === name);
  }

  /** Write one input or property into the element's extensions; undefined takes it away. */
  write([holder, list, type], name, value) {
    if (value === undefined) {
      const entry = this.entry([holder, list], name);
      return entry && this.removeEntry([holder, list], entry);
    }
    const [key, change] = ["name", { value }];
    const held = this.#holder(holder, list);
    const found = (held.get(list) ?? []).find((each) => each[key] === name);
    if (found) return this.put(found, change);
    const made = this.make(type, { [key]: name, ...change });
    made.$parent = held;
    return this.put(held, { [list]: [...(held.get(list) ?? []), made] });
  }

  /** Add one to a list of the element's extensions, or take one away. */
  addEntry([holder, list, type], properties) {
    const held = this.#holder(holder, list);
    const made = this.make(type, properties);
    made.$parent = held;
    this.put(held, { [list]: [...(held.get(list) ?? []), made] });
  }

  removeEntry([holder, list], entry) {
    const held = this.extension(holder);
    const left = held.get(list).filter((each) => each !== entry);
    this.put(held, { [list]: left });
    const lists = ["inputParameters", "outputParameters", "values"];
    if (lists.some((name) => held.$descriptor.propertiesByName[name] && (held.get(name) ?? []).length > 0)) return;
    this.drop(holder);
  }

  #holder(holder, list) {
    const { object } = this;
    let extensions = object.extensionElements;
    if (!extensions) {
      extensions = this.make("bpmn:ExtensionElements", { values: [] });
      extensions.$parent = object;
      this.put(object, { extensionElements: extensions });
    }
    let held = extensions.values.find((each) => each.$type === holder);
    if (!held) {
      held = this.make(holder, list ? { [list]: [] } : {});
      held.$parent = extensions;
      this.put(extensions, { values: [...extensions.values, held] });
    }
    return held;
  }

  /** Take an extension away. */
  drop(type) {
    const { extensionElements } = this.object;
    const left = extensionElements.values.filter((each) => each !== this.extension(type));
    this.put(extensionElements, { values: left });
  }

  /** Add a whole extension, or change it, such as the waits between tries. */
  extend(type, properties) {
    const found = this.extension(type);
    if (found) this.put(found, properties);
    else this.put(this.#holder(type, null), properties);
  }
}

export const PROPERTIES = ["camunda:Properties", "values", "camunda:Property"];
export const INPUTS = ["camunda:InputOutput", "inputParameters", "camunda:InputParameter"];
export const OUTPUTS = ["camunda:InputOutput", "outputParameters", "camunda:OutputParameter"];

/** What has the name of the parameter that it is for is most likely meant. */
function sameFirst(suggestions, name) {
  const isSame = ([text]) => name !== "" && text.slice(2, -1).split(".").at(-1) === name;
  return [...suggestions.filter(isSame), ...suggestions.filter((each) => !isSame(each))];
}

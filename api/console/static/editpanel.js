// What the chosen element of the drawing is and takes: a form made from the stone's template, in the console's own parts.

import { el, fill, said, unique } from "./element.js";
import { t } from "./language.js";

const POLICY = "undoPolicy";

export class Panel {
  constructor({ editor, stones, variables, keys }) {
    this.editor = editor;
    this.stones = stones;
    this.variables = variables;
    this.keys = keys;
    this.node = el("aside", { class: "designer-panel", "aria-label": t("edit.panel") });
    this.shown = null;
  }

  show(element, force = false) {
    if (this.busy) return;
    // The form of an element stays while somebody types in it.
    if (!force && element === this.shown && this.node.contains(document.activeElement)) return this.refresh();
    this.shown = element;
    this.fields = [];
    if (element === null) {
      fill(this.node, el("p", { class: "faint padded" }, t("edit.several")));
      return;
    }
    const object = element.businessObject;
    if (!object) return;
    const stone = this.stoneOf(object);
    const kind = object.$type.replace("bpmn:", "");
    fill(
      this.node,
      el("div", { class: "designer-panel-head" },
        el("h2", {}, said(object.name || object.id)),
        el("p", { class: "sub" }, stone ? `${stone.name} · ${this.codeOf(stone)}` : t(`bpmn.${kind}`)),
      ),
      this.general(element, object),
      this.is(object, "ServiceTask", "SendTask", "BusinessRuleTask", "Task") && !this.is(object, "UserTask", "ManualTask", "ScriptTask", "ReceiveTask") && this.task(element, object, stone),
      stone && this.parameters(element, object, stone),
      stone && this.undo(element, object),
      stone && this.outputs(object, stone),
      this.is(object, "UserTask") && this.person(element, object),
      this.is(object, "CallActivity") && this.call(element, object),
      this.is(object, "SequenceFlow") && this.flow(element, object),
      this.timer(element, object),
      object.loopCharacteristics?.$type === "bpmn:MultiInstanceLoopCharacteristics" && this.repetition(element, object),
    );
  }

  refresh() {
    for (const [input, read] of this.fields) if (document.activeElement !== input) input.value = read();
  }

  is(object, ...types) {
    return types.some((type) => object.$instanceOf?.(`bpmn:${type}`));
  }

  topicOf(object) {
    return object.get?.("camunda:topic") ?? null;
  }
  codeOf(template) {
    return template.properties.find(({ binding }) => binding.name === "camunda:topic")?.value;
  }
  stoneOf(object) {
    const topic = this.is(object, "Activity") ? this.topicOf(object) : null;
    return topic === null ? null : (this.editor.templates.find((template) => this.codeOf(template) === topic) ?? null);
  }

  section(title, ...children) {
    return el("details", { open: true, class: "designer-section" }, el("summary", {}, title), el("div", { class: "stack" }, children));
  }

  field(label, read, write, { hint = "", hints = false, rows = 0, placeholder = "", needed = false, mono = false, options = null, code = "" } = {}) {
    const id = unique("edit");
    let input;
    let list = null;
    if (options !== null) {
      input = el("select", { id, onchange: () => this.doing(() => write(input.value)) }, options.map(([value, text]) => el("option", { value, selected: value === read() }, text)));
    } else {
      input = el(rows ? "textarea" : "input", { id, rows: rows || null, type: rows ? null : "text", value: read(), placeholder, spellcheck: "false", autocomplete: "off", class: mono ? "code" : null, "aria-describedby": hint ? `${id}-hint` : null });
      // Written soon after the last key: a field that writes when it is left redraws what is being clicked just then.
      let timer = 0;
      const commit = () => {
        clearTimeout(timer);
        if (input.value !== read()) this.doing(() => write(input.value));
      };
      input.addEventListener("input", () => {
        clearTimeout(timer);
        timer = setTimeout(commit, 250);
      });
      input.addEventListener("change", commit);
      if (hints) list = offer(input, () => this.suggestions(), commit);
    }
    this.fields.push([input, read]);
    return el("div", { class: "field" }, el("label", { for: id }, said(label), code && code !== label && el("code", {}, code), needed && el("span", { class: "needed" }, t("needed"))), input, list, hint && el("p", { class: "hint", id: `${id}-hint` }, hint));
  }

  doing(act) {
    this.busy = true;
    try {
      act();
    } finally {
      this.busy = false;
    }
  }

  set(element, properties) {
    this.editor.get("modeling").updateProperties(element, properties);
  }

  general(element, object) {
    const valid = (id) => /^[A-Za-z_][\w.-]*$/.test(id) && (id === object.id || !this.editor.get("moddle").ids.assigned(id));
    const root = !element.parent;
    return this.section(
      t("edit.general"),
      this.field(t("edit.name"), () => object.name ?? "", (value) => this.set(element, { name: value || undefined }), { rows: this.is(object, "FlowNode") ? 2 : 0 }),
      this.field(root ? t("fact.key") : t("edit.id"), () => object.id, (value) => valid(value) && this.set(element, { id: value }), { mono: true, hint: this.is(object, "Activity") ? t("edit.id.hint", { id: object.id }) : "" }),
      this.field(t("edit.documentation"), () => object.documentation?.[0]?.text ?? "", (value) => this.set(element, { documentation: value ? [this.make("bpmn:Documentation", { text: value })] : [] }), { rows: 2 }),
    );
  }

  make(type, properties) {
    return this.editor.get("bpmnFactory").create(type, properties);
  }

  task(element, object, stone) {
    const options = [["", t("edit.stone.none")], ...this.editor.templates.map((template) => [template.id, `${template.name} · ${this.codeOf(template)}`])];
    return this.section(
      t("edit.stone"),
      this.field(t("edit.stone.which"), () => stone?.id ?? "", (value) => {
        const template = this.editor.templates.find(({ id }) => id === value);
        const chosen = template ? this.editor.get("elementTemplates").applyTemplate(element, template) : element;
        setTimeout(() => this.show(this.editor.chosen ?? chosen, true));
      }, { options, hint: this.stones.find(({ code }) => stone && code === this.codeOf(stone))?.description ?? (this.topicOf(object) ? t("edit.stone.unknown", { code: this.topicOf(object) }) : "") }),
    );
  }

  extension(object, type) {
    return object.extensionElements?.values?.find((each) => each.$type === type);
  }

  /** Write one input or property of an element, or take it away where it is empty. */
  write(element, [holder, list, entry], name, change, key = "name") {
    const object = element.businessObject;
    const modeling = this.editor.get("modeling");
    let extensions = object.extensionElements;
    if (!extensions) {
      extensions = this.make("bpmn:ExtensionElements", { values: [] });
      extensions.$parent = object;
      modeling.updateModdleProperties(element, object, { extensionElements: extensions });
    }
    let held = extensions.values.find((each) => each.$type === holder);
    if (!held) {
      held = this.make(holder, { [list]: [] });
      held.$parent = extensions;
      modeling.updateModdleProperties(element, extensions, { values: [...extensions.values, held] });
    }
    const found = (held.get(list) ?? []).find((each) => each[key] === name);
    if (found) return modeling.updateModdleProperties(element, found, change);
    const made = this.make(entry, { [key]: name, ...change });
    made.$parent = held;
    return modeling.updateModdleProperties(element, held, { [list]: [...(held.get(list) ?? []), made] });
  }

  input(object, name) {
    const value = this.extension(object, "camunda:InputOutput")?.inputParameters?.find((each) => each.name === name)?.value;
    return value ?? "";
  }
  property(object, name) {
    return this.extension(object, "camunda:Properties")?.values?.find((each) => each.name === name)?.value ?? "";
  }

  parameters(element, object, stone) {
    const inputs = ["camunda:InputOutput", "inputParameters", "camunda:InputParameter"];
    const shown = stone.properties.filter(({ binding }) => binding.type === "camunda:inputParameter");
    const declared = this.stones.find(({ code }) => code === this.codeOf(stone))?.parameters ?? [];
    const one = (property) => {
      const { name } = property.binding;
      const parameter = declared.find((each) => each.name === name) ?? {};
      const left = t(parameter.required ? "edit.left.variable" : "edit.left.default");
      const options = property.choices?.map(({ name: text, value }) => [value, value === "" ? left : text]) ?? null;
      const usual = parameter.default === null || parameter.default === undefined || parameter.default === "" || parameter.noEcho ? "" : String(typeof parameter.default === "string" ? parameter.default : JSON.stringify(parameter.default));
      const hint = [parameter.description, parameter.noEcho && t("edit.secret", { name })].filter(Boolean).join(" ");
      return this.field(property.label, () => this.input(object, name), (value) => this.write(element, inputs, name, { value: value || undefined }), { hint, hints: true, options, needed: property.constraints?.notEmpty, code: name, placeholder: usual || (parameter.required ? t("edit.left.variable") : "") });
    };
    const main = shown.filter(({ group, binding }) => group !== "expert" || this.input(object, binding.name));
    const more = shown.filter((each) => !main.includes(each));
    return [
      this.section(t("edit.parameters"), main.map(one)),
      more.length > 0 && el("details", { class: "designer-section" }, el("summary", {}, t("edit.parameters.more", { count: more.length })), el("div", { class: "stack" }, more.map(one))),
    ];
  }

  undo(element, object) {
    const properties = ["camunda:Properties", "values", "camunda:Property"];
    return this.section(
      t("edit.undo"),
      this.field(t("edit.undo.policy"), () => this.property(object, POLICY) || "delete", (value) => this.write(element, properties, POLICY, { value }), { options: ["delete", "retain", "retain-except-on-failed-start"].map((key) => [key, t(`edit.undo.${key}`)]) }),
      this.field(t("edit.failure"), () => this.property(object, "onFailure"), (value) => this.write(element, properties, "onFailure", { value: value || undefined }), { options: this.policies(object).map((key) => [key, key.includes(" ") ? key : t(`edit.failure.${key || "process"}`)]) }),
      this.field(t("edit.retries"), () => this.property(object, "retries"), (value) => this.write(element, properties, "retries", { value: value || undefined }), { placeholder: "0", hint: t("edit.retries.hint") }),
    );
  }

  /** The failure policies that there are; a pause that ends by itself is shown as the file has it. */
  policies(object) {
    const own = this.property(object, "onFailure");
    const known = ["", "rollback", "pause", "keep"];
    return own && !known.includes(own) ? [...known, own] : known;
  }

  outputs(object, stone) {
    const declared = this.stones.find(({ code }) => code === this.codeOf(stone))?.outputs ?? [];
    if (declared.length === 0) return null;
    return this.section(
      t("edit.outputs"),
      el("ul", { class: "designer-outputs" }, declared.map(({ name, description }) => el("li", {}, el("code", {}, `\${outputs.${object.id}.${name}}`), description && el("span", { class: "sub" }, description)))),
    );
  }

  person(element, object) {
    const one = (name) => this.field(t(`edit.${name}`), () => object.get(`camunda:${name}`) ?? "", (value) => this.set(element, { [`camunda:${name}`]: value || undefined }), { hints: true });
    return this.section(t("edit.person"), one("assignee"), one("candidateGroups"), one("candidateUsers"), one("dueDate"));
  }

  call(element, object) {
    const options = [["", t("choose")], ...this.keys.map((key) => [key, key])];
    if (object.calledElement && !this.keys.includes(object.calledElement)) options.push([object.calledElement, object.calledElement]);
    return this.section(t("edit.call"), this.field(t("edit.called"), () => object.calledElement ?? "", (value) => this.set(element, { calledElement: value || undefined }), { options }));
  }

  flow(element, object) {
    const from = object.sourceRef;
    const conditional = !this.is(from, "ParallelGateway", "EventBasedGateway");
    const isDefault = from.default === object;
    const source = this.editor.find(from.id);
    const box = el("input", { type: "checkbox", id: unique("edit"), checked: isDefault, onchange: (event) => this.doing(() => { this.set(source, { default: event.target.checked ? object : undefined }); setTimeout(() => this.show(element, true)); }) });
    return this.section(
      t("edit.condition"),
      conditional ? null : el("p", { class: "faint" }, t("edit.condition.no")),
      conditional && el("div", { class: "check" }, box, el("label", { for: box.id }, t("edit.default"))),
      conditional && !isDefault && this.field(t("edit.condition.is"), () => object.conditionExpression?.body ?? "", (value) => this.set(element, { conditionExpression: value ? this.make("bpmn:FormalExpression", { body: value }) : undefined }), { hints: true, mono: true, rows: 2, hint: t("edit.condition.hint"), placeholder: "${size > 10}" }),
    );
  }

  timer(element, object) {
    const timer = object.eventDefinitions?.find((each) => each.$type === "bpmn:TimerEventDefinition");
    if (!timer) return null;
    const kinds = ["timeDuration", "timeDate", "timeCycle"];
    const kind = kinds.find((name) => timer[name]) ?? "timeDuration";
    const put = (name, body) => this.editor.get("modeling").updateModdleProperties(element, timer, { ...Object.fromEntries(kinds.map((each) => [each, undefined])), [name]: this.make("bpmn:FormalExpression", { body }) });
    return this.section(
      t("edit.timer"),
      this.field(t("edit.timer.kind"), () => kind, (value) => { put(value, timer[kind]?.body ?? ""); setTimeout(() => this.show(element, true)); }, { options: kinds.map((name) => [name, t(`edit.${name}`)]) }),
      this.field(t("edit.timer.when"), () => timer[kind]?.body ?? "", (value) => put(kind, value), { mono: true, hints: true, placeholder: { timeDuration: "PT30S", timeDate: "2030-01-31T08:00:00Z", timeCycle: "R3/PT1M" }[kind], hint: "ISO 8601" }),
    );
  }

  repetition(element, object) {
    const loop = object.loopCharacteristics;
    const put = (change) => this.editor.get("modeling").updateModdleProperties(element, loop, change);
    return this.section(
      t("edit.loop"),
      this.field(t("edit.loop.collection"), () => loop.get("camunda:collection") ?? "", (value) => put({ "camunda:collection": value || undefined }), { mono: true, hints: true, placeholder: "${servers}" }),
      this.field(t("edit.loop.element"), () => loop.get("camunda:elementVariable") ?? "", (value) => put({ "camunda:elementVariable": value || undefined }), { mono: true }),
      this.field(t("edit.loop.done"), () => loop.completionCondition?.body ?? "", (value) => put({ completionCondition: value ? this.make("bpmn:FormalExpression", { body: value }) : undefined }), { mono: true, hints: true }),
    );
  }

  /** What may stand in an expression here: start variables, and what tasks before this one put out. */
  suggestions() {
    const before = this.before(this.shown);
    const found = this.variables.map(({ key, about }) => [`\${${key}}`, about || t("edit.hint.variable")]);
    for (const object of before) {
      const stone = this.stoneOf(object);
      const declared = stone ? (this.stones.find(({ code }) => code === this.codeOf(stone))?.outputs ?? []) : [];
      for (const { name, description } of declared) found.push([`\${outputs.${object.id}.${name}}`, [object.name ?? object.id, description].filter(Boolean).join(" · ")]);
      if (this.is(object, "UserTask")) found.push([`\${outputs.${object.id}.}`, object.name ?? object.id]);
    }
    return found;
  }

  /** The activities that come before an element; by its lines, since many files leave `incoming` out. */
  before(element) {
    const seen = new Set([element]);
    const found = [];
    const walk = (shape) => {
      if (!shape || seen.has(shape)) return;
      seen.add(shape);
      if (shape.businessObject.$instanceOf("bpmn:Activity")) found.push(shape.businessObject);
      back(shape);
    };
    const back = (shape) => {
      for (const { source } of shape.incoming ?? []) walk(source);
      walk(shape.host);
      if (shape.parent?.businessObject?.$instanceOf("bpmn:SubProcess")) back(shape.parent);
    };
    if (element.waypoints) walk(element.source);
    else back(element);
    return found;
  }
}

/** Offer what may follow while somebody writes `${`: a list that keys and pointer choose from. */
function offer(input, suggestions, done) {
  const id = unique("offer");
  const list = el("ul", { class: "offer", role: "listbox", id, popover: "manual" });
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-controls", id);
  input.setAttribute("aria-expanded", "false");
  let at = -1;
  const close = () => {
    if (list.matches(":popover-open")) list.hidePopover();
    input.setAttribute("aria-expanded", "false");
    at = -1;
  };
  const word = () => /[$#]\{[\w.-]*$/.exec(input.value.slice(0, input.selectionStart));
  const open = () => {
    const found = word();
    const typed = found?.[0].slice(2).toLowerCase();
    const shown = found ? suggestions().filter(([text]) => text.toLowerCase().includes(typed)).slice(0, 12) : [];
    if (shown.length === 0) return close();
    fill(list, shown.map(([text, about], place) => el("li", { role: "option", id: `${id}-${place}`, onpointerdown: (event) => { event.preventDefault(); take(text); } }, el("code", {}, text), el("span", { class: "sub" }, about))));
    const frame = input.getBoundingClientRect();
    Object.assign(list.style, { top: `${frame.bottom + 3}px`, left: `${frame.left}px`, width: `${frame.width}px` });
    if (!list.matches(":popover-open")) list.showPopover();
    input.setAttribute("aria-expanded", "true");
    point(0);
  };
  const point = (place) => {
    at = place;
    [...list.children].forEach((item, number) => item.setAttribute("aria-selected", String(number === place)));
    input.setAttribute("aria-activedescendant", `${id}-${place}`);
    list.children[place]?.scrollIntoView({ block: "nearest" });
  };
  const take = (text) => {
    const found = word();
    const end = input.selectionStart;
    const rest = input.value.slice(end).replace(/^\}/, "");
    input.value = input.value.slice(0, found ? found.index : end) + text + rest;
    close();
    done();
  };
  input.addEventListener("input", open);
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (!list.matches(":popover-open")) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      point((at + (event.key === "ArrowDown" ? 1 : -1) + list.children.length) % list.children.length);
    } else if (event.key === "Enter" || event.key === "Tab") {
      event.preventDefault();
      take(list.children[at].firstChild.textContent);
    } else if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      close();
    }
  });
  return list;
}

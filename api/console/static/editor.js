// The drawing part of the editor: a bpmn-js modeler that knows the stones of the server. It says what it changes.

import { translation } from "./edittexts.js";
import { GoAround } from "./goaround.js";
import { MakeRoom } from "./makeroom.js";
import { Rename, renamed } from "./renaming.js";

let kit = null;
let coming = null;

/** The modeler's code and styles, which are large and come only when somebody draws. */
export function loadKit() {
  coming ??= bring().catch((problem) => {
    coming = null;
    throw problem;
  });
  return coming;
}

async function bring() {
  for (const name of ["bpmn-font", "minimap"]) {
    const href = new URL(`modeler/${name}.css`, import.meta.url).href;
    document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href }));
  }
  kit = await import("./modeler/modeler.js");
}

const codeOf = (template) => template.properties.find(({ binding }) => binding.name === "camunda:topic").value;
const binding = (template) => ({ "camunda:type": "external", "camunda:topic": codeOf(template), "camunda:modelerTemplate": template.id });

/** Whether something can come after an element. */
function goesOn({ businessObject }) {
  return businessObject?.$instanceOf?.("bpmn:FlowNode") === true && !businessObject.$instanceOf("bpmn:EndEvent");
}

/** The stones as bpmn-js's menus ask for them: the part of its element templates that they use. */
class Templates {
  static $inject = ["bpmnFactory", "elementFactory", "commandStack", "bpmnReplace"];

  constructor(bpmnFactory, elementFactory, commandStack, bpmnReplace) {
    Object.assign(this, { bpmnFactory, elementFactory, commandStack, bpmnReplace, templates: [] });
  }
  getAll() {
    return this.templates;
  }
  getLatest(element) {
    const plain = (object) => object.$instanceOf("bpmn:Task") || object.$instanceOf("bpmn:CallActivity");
    return element === undefined || (element.businessObject && plain(element.businessObject) && !element.labelTarget) ? this.templates : [];
  }
  get(element) {
    const object = element.businessObject;
    const topic = object?.$instanceOf("bpmn:Activity") ? object.get("camunda:topic") : undefined;
    return topic ? this.templates.find((template) => codeOf(template) === topic) : undefined;
  }
  createElement(template) {
    const businessObject = this.bpmnFactory.create("bpmn:ServiceTask", { name: template.name, ...binding(template) });
    return this.elementFactory.createShape({ type: "bpmn:ServiceTask", businessObject });
  }
  applyTemplate(element, template) {
    const context = { element, template };
    this.commandStack.execute("stone.choose", context);
    return context.element;
  }
  removeTemplate(element) {
    return this.bpmnReplace.replaceElement(element, { type: "bpmn:Task" });
  }
}

/** Bind a task to a stone, in one step that is undone as one. */
class Choose {
  static $inject = ["bpmnReplace", "modeling"];

  constructor(bpmnReplace, modeling) {
    Object.assign(this, { bpmnReplace, modeling });
  }
  preExecute(context) {
    const { element, template } = context;
    if (element.type !== "bpmn:ServiceTask") context.element = this.bpmnReplace.replaceElement(element, { type: "bpmn:ServiceTask" });
    const name = context.element.businessObject.name;
    this.modeling.updateProperties(context.element, { ...binding(template), ...(name ? {} : { name: template.name }) });
  }
  execute() {
    return [];
  }
  revert() {
    return [];
  }
}

export class Editor {
  constructor({ container, templates, changed, selected }) {
    this.templates = templates;
    this.modeler = new kit.Modeler({
      container,
      bpmnRenderer: {
        defaultFillColor: "var(--diagram-fill)",
        defaultStrokeColor: "var(--diagram-line)",
        defaultLabelColor: "var(--diagram-text)",
      },
      textRenderer: {
        defaultStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
        externalStyle: { fontSize: 11 },
      },
      additionalModules: [
        { elementTemplates: ["type", Templates], __init__: [["commandStack", (stack) => stack.registerHandler("stone.choose", Choose)]] },
        { __init__: [["commandStack", (stack) => stack.registerHandler("element.rename", Rename)]] },
        { __init__: ["goAround", "makeRoom"], goAround: ["type", GoAround], makeRoom: ["type", MakeRoom] },
        kit.CreateAppendAnythingModule,
        kit.CreateAppendElementTemplatesModule,
        kit.CamundaBehaviors,
        kit.Minimap,
        kit.Grid,
        translation(kit.zh),
      ],
      moddleExtensions: { camunda: kit.camunda },
    });
    this.#readableIds();
    // The modeler's own way to its pad warns on the browser's console.
    const pad = this.get("contextPad");
    pad.getPad = () => ({ html: container.querySelector(".djs-context-pad") });
    this.get("elementTemplates").templates = templates;
    // What a listener returns is kept from those behind it: with a false no mark would follow its element.
    const listen = (name, act) => this.get("eventBus").on(name, (event) => void act(event));
    listen("commandStack.changed", () => changed());
    listen("selection.changed", () => selected(this.chosen));
    listen("element.changed", ({ element }) => element === this.chosen && selected(element));
  }

  get(name) {
    return this.modeler.get(name);
  }

  /** The only selected element, else the process itself. */
  get chosen() {
    const all = this.get("selection").get();
    return all.length === 1 ? (all[0].labelTarget ?? all[0]) : all.length === 0 ? this.get("canvas").getRootElement() : null;
  }

  /** A task's id is the namespace of its outputs, so people read and write it. */
  #readableIds() {
    const factory = this.get("bpmnFactory");
    const { ids } = this.get("moddle");
    const before = factory._ensureId;
    const kinds = [["Gateway", "gateway"], ["Event", "event"], ["Task", "task"], ["Activity", "task"], ["SubProcess", "part"], ["SequenceFlow", "flow"]];
    factory._ensureId = (element) => {
      const kind = kinds.find(([type]) => element.$type.endsWith(type) && !element.$type.endsWith("EventDefinition"));
      if (element.id || kind === undefined) return before.call(factory, element);
      const code = element.get("camunda:topic");
      const last = code?.split("::").at(-1).replace(/[^\w]/g, "");
      element.id = last ? this.free(last.charAt(0).toLowerCase() + last.slice(1), "") : this.free(kind[1]);
      ids.claim(element.id, element);
    };
  }

  /** An id that nothing has yet. */
  free(word, gap = "_") {
    const { ids } = this.get("moddle");
    for (let number = gap ? 1 : 0; ; number += 1) {
      const id = number === 0 ? word : `${word}${gap}${number === 0 ? "" : gap ? number : number + 1}`;
      if (!ids.assigned(id) && !this.get("elementRegistry").get(id)) return id;
    }
  }

  /** A model with nothing but its beginning. */
  async blank(key, name) {
    const moddle = this.get("moddle");
    const start = moddle.create("bpmn:StartEvent", { id: "start" });
    const process = moddle.create("bpmn:Process", { id: key, name, isExecutable: true, flowElements: [start] });
    const bounds = moddle.create("dc:Bounds", { x: 180, y: 160, width: 36, height: 36 });
    const shape = moddle.create("bpmndi:BPMNShape", { id: "start_di", bpmnElement: start, bounds });
    const plane = moddle.create("bpmndi:BPMNPlane", { id: "plane", bpmnElement: process, planeElement: [shape] });
    const diagram = moddle.create("bpmndi:BPMNDiagram", { id: "diagram", plane });
    const whole = { id: "definitions", targetNamespace: "urn:riverstone", rootElements: [process], diagrams: [diagram] };
    return (await moddle.toXML(moddle.create("bpmn:Definitions", whole), { format: true })).xml;
  }

  async open(xml) {
    const result = await this.modeler.importXML(xml);
    this.fit();
    return result.warnings;
  }

  /** Show all of it beside the palette; what would be too small to be read is shown from its beginning. */
  fit() {
    const canvas = this.get("canvas");
    canvas.resized();
    const { inner, outer } = canvas.viewbox();
    const palette = canvas.getContainer().querySelector(".djs-palette");
    const room = { left: 40, right: 40, top: 40, bottom: 60 };
    // Where it is narrow the palette stands over the drawing.
    if (palette?.offsetWidth > palette?.offsetHeight) Object.assign(room, { left: 16, right: 16, top: palette.offsetHeight + 24 });
    else if (palette) room.left = palette.offsetLeft + palette.offsetWidth + 16;
    const [width, height] = [outer.width - room.left - room.right, outer.height - room.top - room.bottom];
    const scale = Math.min(1, Math.max(0.5, Math.min(width / inner.width, height / inner.height)));
    const place = (start, size, space) => start - Math.max(0, (space / scale - size) / 2);
    canvas.viewbox({
      x: place(inner.x, inner.width, width) - room.left / scale,
      y: place(inner.y, inner.height, height) - room.top / scale,
      width: outer.width / scale,
      height: outer.height / scale,
    });
  }

  /** Take over the label that is being written. */
  settle() {
    const editing = this.get("directEditing");
    if (editing.isActive()) editing.complete();
  }

  async xml() {
    return (await this.modeler.saveXML({ format: true })).xml;
  }

  /** A picture that stands alone: what the page's colours were is written into it, in light. */
  async svg() {
    const { svg } = await this.modeler.saveSVG();
    const colours = { "--diagram-fill": "#ffffff", "--diagram-line": "#334155", "--diagram-text": "#17202c" };
    return svg.replace(/var\((--[\w-]+)\)/g, (whole, name) => colours[name] ?? whole);
  }

  /** The same as a picture of points, twice as fine as a screen. */
  async png() {
    const svg = await this.svg();
    const [, width, height] = /width="([\d.]+)" height="([\d.]+)"/.exec(svg).map(Number);
    const image = new Image();
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
    await image.decode();
    const canvas = Object.assign(document.createElement("canvas"), { width: width * 2, height: height * 2 });
    const context = canvas.getContext("2d");
    context.fillStyle = "#ffffff";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  }

  /** Begin to place a new task for this template, from where the pointer is. */
  place(template, event) {
    const element = this.get("elementTemplates").createElement(template);
    this.get("create").start(event, element);
  }

  /** Put a new task after the chosen element, or after the only one behind which nothing comes; it is chosen then. */
  append(template) {
    const element = this.get("elementTemplates").createElement(template);
    const before = this.#before();
    const flow = this.#flowFrom(before);
    const made = flow !== null ? this.#insert(element, flow) : this.#put(element, before);
    this.get("selection").select(made);
    return made;
  }

  #before() {
    const { chosen } = this;
    if (chosen?.parent) return goesOn(chosen) ? chosen : null;
    const isLast = (element) => goesOn(element) && !element.labelTarget && !element.outgoing.some(({ businessObject }) => businessObject.$instanceOf("bpmn:SequenceFlow"));
    const last = this.get("elementRegistry").filter(isLast);
    return last.length === 1 ? last[0] : null;
  }

  /** The flow into which a task behind `before` is put: the chosen one, or the only one where no other would be meant. */
  #flowFrom(before) {
    const isFlow = (element) => element?.businessObject.$instanceOf("bpmn:SequenceFlow") === true;
    if (isFlow(this.chosen)) return this.chosen;
    const flows = before?.outgoing.filter(isFlow) ?? [];
    // A gateway that splits gets another way.
    const splits = before?.businessObject.$instanceOf("bpmn:Gateway") && before.incoming.length < 2;
    return flows.length === 1 && !splits ? flows[0] : null;
  }

  #put(element, before) {
    if (before !== null) return this.get("autoPlace").append(before, element);
    return this.get("modeling").createShape(element, this.#room(element), this.get("canvas").getRootElement());
  }

  /** Put it onto a flow, which is then led through it. */
  #insert(element, flow) {
    const { source, target } = flow;
    const right = source.x + source.width;
    const beside = { x: (right + Math.max(target.x, right)) / 2, y: source.y + source.height / 2 };
    const place = target.x < right ? this.get("eventBus").fire("autoPlace", { source, shape: element }) : beside;
    return this.get("modeling").createShape(element, place, flow);
  }

  /** The middle of what is seen, or the first free place below. */
  #room({ width, height }) {
    const seen = this.get("canvas").viewbox();
    const place = { x: seen.x + seen.width / 2, y: seen.y + seen.height / 2 };
    const isTaken = (other) => other.width && Math.abs(other.x + other.width / 2 - place.x) < (other.width + width) / 2 && Math.abs(other.y + other.height / 2 - place.y) < (other.height + height) / 2;
    const others = this.get("elementRegistry").filter(({ parent, labelTarget, waypoints }) => parent && !labelTarget && !waypoints);
    while (others.some(isTaken)) place.y += height + 30;
    return place;
  }

  /** All of the file: what its diagram shows, and the messages, errors and signals that it names. */
  get root() {
    return this.modeler.getDefinitions();
  }

  /** The id of the process that is drawn. */
  get key() {
    return this.root.get("rootElements").find(({ $type }) => $type === "bpmn:Process")?.id ?? "";
  }

  /** Give an element another id, in whatever reads its outputs too. */
  rename(element, id) {
    this.get("commandStack").execute("element.rename", { element, id, root: this.root });
  }

  /** The same in a template of outputs, which is beside the file. */
  renameIn(template, from, to) {
    return template.map((entry) => (typeof entry.Value === "string" ? { ...entry, Value: renamed(entry.Value, from, to) } : entry));
  }

  find(id) {
    return this.get("elementRegistry").get(id);
  }

  reach(id) {
    const element = this.find(id);
    if (element === undefined) return;
    if (element.parent) {
      this.get("canvas").scrollToElement(element, 120);
      this.get("selection").select(element);
    } else this.get("selection").select([]);
  }

  mark(looks) {
    const canvas = this.get("canvas");
    const overlays = this.get("overlays");
    overlays.remove({ type: "finding" });
    for (const [id, name] of this.marked ?? []) if (this.find(id)) canvas.removeMarker(id, name);
    this.marked = [];
    for (const [id, { name, html }] of looks) {
      const element = this.find(id);
      if (element === undefined || !element.parent) continue;
      canvas.addMarker(id, name);
      this.marked.push([id, name]);
      const position = element.waypoints ? { bottom: 12, right: 12 } : { top: -11, right: 13 };
      overlays.add(id, "finding", { position, html });
    }
  }

  /** Whether a label is being written in which nothing was typed yet. */
  get isUntouched() {
    const editing = this.get("directEditing");
    return editing.isActive() && editing.getValue() === (editing._active.context.text ?? "");
  }

  undo() {
    this.get("directEditing").cancel();
    this.get("commandStack").undo();
  }
  redo() {
    this.get("commandStack").redo();
  }

  close() {
    this.modeler.destroy();
  }
}

export function compare(before, after) {
  return kit.diff(before, after);
}

// What may stand in an expression of the drawing, offered while somebody writes `${`.

import { el, fill, unique } from "./element.js";
import { t } from "./language.js";

/** What may be named here: start variables, what activities before this one put out, and the item of a repetition. */
export function suggestionsFor({ element, variables, declarationOf, columnsOf }) {
  const found = variables.map(({ Key, NameSpace, Description, DisplayName }) => [
    `\${${NameSpace ? `parameters.${NameSpace}.${Key}` : Key}}`,
    DisplayName || Description || t("edit.hint.variable"),
  ]);
  for (const object of before(element)) {
    const name = object.name ?? object.id;
    const declared = declarationOf(object)?.outputs ?? [];
    for (const output of declared)
      found.push([`\${outputs.${object.id}.${output.name}}`, [name, output.description].filter(Boolean).join(" · ")]);
    for (const field of fieldsOf(object)) found.push([`\${${field.id}}`, [name, field.label].filter(Boolean).join(" · ")]);
    const result = object.get?.("camunda:resultVariable");
    if (!result) continue;
    found.push([`\${${result}}`, name]);
    if (object.get("camunda:mapDecisionResult") === "singleResult")
      for (const column of columnsOf(object.get("camunda:decisionRef"))) found.push([`\${${result}.${column}}`, name]);
  }
  for (const item of itemsAround(element)) found.push([`\${${item}}`, t("edit.hint.item")]);
  return found;
}

/** The fields that a person fills in at a task. */
function fieldsOf(object) {
  const form = object.extensionElements?.values?.find(({ $type }) => $type === "camunda:FormData");
  return (form?.get("fields") ?? []).filter(({ id }) => id);
}

/** What the repetitions around an element call their item. */
function itemsAround(element) {
  const found = [];
  for (let each = element; each; each = each.parent) {
    const name = each.businessObject?.loopCharacteristics?.get?.("camunda:elementVariable");
    if (name) found.push(name, "loopCounter");
  }
  return found;
}

/** The nodes that come before an element; by its lines, since many files leave `incoming` out. */
function before(element) {
  const seen = new Set([element]);
  const open = element.waypoints ? [element.source] : leadingTo(element);
  const found = [];
  while (open.length > 0) {
    const shape = open.pop();
    if (!shape || seen.has(shape)) continue;
    seen.add(shape);
    if (["bpmn:Activity", "bpmn:StartEvent"].some((type) => shape.businessObject.$instanceOf(type))) found.push(shape.businessObject);
    open.push(...leadingTo(shape));
  }
  return found;
}

function leadingTo(shape) {
  const inside = shape.parent?.businessObject?.$instanceOf("bpmn:SubProcess");
  const sources = [...(shape.incoming ?? []).map(({ source }) => source), shape.host];
  return inside ? [...sources, ...leadingTo(shape.parent)] : sources;
}

/** How tall the list may be, and how wide it is at least, in pixels. */
const [TALLEST, WIDTH] = [256, 260];

/** A list under a field that keys and pointer choose from; `done` is called when something was taken. */
export function offer(input, suggestions, done) {
  const id = unique("offer");
  const list = el("ul", { class: "offer", role: "listbox", id, popover: "manual", "aria-label": t("edit.hints") });
  const roles = { "aria-autocomplete": "list", "aria-controls": id, "aria-haspopup": "listbox" };
  for (const [name, value] of Object.entries(roles)) input.setAttribute(name, value);
  // A text of several lines must not be a combobox, and nothing else may say that it is expanded.
  const expanded = (on) => input.tagName === "INPUT" && input.setAttribute("aria-expanded", String(on));
  if (input.tagName === "INPUT") input.setAttribute("role", "combobox");
  expanded(false);
  let at = -1;
  const isOpen = () => list.matches(":popover-open");
  const close = () => {
    if (isOpen()) list.hidePopover();
    expanded(false);
    input.removeAttribute("aria-activedescendant");
    at = -1;
  };
  const word = () => /[$#]\{[\w.-]*$/.exec(input.value.slice(0, input.selectionStart));
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
  const option = ([text, about], place) => {
    const pressed = (event) => {
      event.preventDefault();
      take(text);
    };
    const content = [el("code", {}, text), el("span", { class: "sub" }, about)];
    return el("li", { role: "option", id: `${id}-${place}`, onpointerdown: pressed }, content);
  };
  const open = (all = false) => {
    const typed = all ? "" : word()?.[0].slice(2).toLowerCase();
    const wanted = ([text]) => text.toLowerCase().includes(typed);
    const shown = typed === undefined ? [] : suggestions().filter(wanted).slice(0, 12);
    if (shown.length === 0) return close();
    fill(list, shown.map(option));
    if (!isOpen()) list.showPopover();
    place();
    expanded(true);
    return point(0);
  };
  /** Below the field, or above it where there is more room, and never beyond the window. */
  const place = () => {
    const frame = input.getBoundingClientRect();
    const [above, below] = [frame.top - 6, innerHeight - frame.bottom - 6];
    const isBelow = below >= Math.min(list.scrollHeight, TALLEST) || below >= above;
    const width = Math.min(Math.max(frame.width, WIDTH), innerWidth - 12);
    list.style.maxHeight = `${Math.min(TALLEST, isBelow ? below : above)}px`;
    Object.assign(list.style, {
      width: `${width}px`,
      left: `${Math.max(6, Math.min(frame.left, innerWidth - width - 6))}px`,
      top: `${isBelow ? frame.bottom + 3 : Math.max(3, frame.top - list.offsetHeight - 3)}px`,
    });
  };
  input.addEventListener("input", () => open());
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (!isOpen()) {
      if (event.key !== "ArrowDown" || input.value !== "") return;
      open(true);
      if (isOpen()) event.preventDefault();
      return;
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) point((at + step + list.children.length) % list.children.length);
    else if (event.key === "Enter" || event.key === "Tab") take(list.children[at].firstChild.textContent);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  return list;
}

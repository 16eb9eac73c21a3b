// What may stand in an expression of the drawing, offered while somebody writes `${`.

import { el, fill, unique } from "./element.js";
import { t } from "./language.js";

/** What may be named here: start variables, what activities before this one put out, and the item of a repetition. */
export function suggestionsFor({ element, variables, declarationOf }) {
  const found = variables.map(({ Key, NameSpace, Description, DisplayName }) => [
    `\${${NameSpace ? `parameters.${NameSpace}.${Key}` : Key}}`,
    DisplayName || Description || t("edit.hint.variable"),
  ]);
  for (const object of before(element)) {
    const name = object.name ?? object.id;
    const declared = declarationOf(object)?.outputs ?? [];
    for (const output of declared)
      found.push([`\${outputs.${object.id}.${output.name}}`, [name, output.description].filter(Boolean).join(" · ")]);
    if (declared.length === 0 && ["bpmn:UserTask", "bpmn:ReceiveTask"].includes(object.$type))
      found.push([`\${outputs.${object.id}.}`, name]);
    const result = object.get?.("camunda:resultVariable");
    if (result) found.push([`\${${result}}`, name]);
  }
  for (const item of itemsAround(element)) found.push([`\${${item}}`, t("edit.hint.item")]);
  return found;
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
    if (shape.businessObject.$instanceOf("bpmn:Activity")) found.push(shape.businessObject);
    open.push(...leadingTo(shape));
  }
  return found;
}

function leadingTo(shape) {
  const inside = shape.parent?.businessObject?.$instanceOf("bpmn:SubProcess");
  const sources = [...(shape.incoming ?? []).map(({ source }) => source), shape.host];
  return inside ? [...sources, ...leadingTo(shape.parent)] : sources;
}

/** A list under a field that keys and pointer choose from; `done` is called when something was taken. */
export function offer(input, suggestions, done) {
  const id = unique("offer");
  const list = el("ul", { class: "offer", role: "listbox", id, popover: "manual", "aria-label": t("edit.hints") });
  const roles = { role: "combobox", "aria-autocomplete": "list", "aria-controls": id, "aria-expanded": "false" };
  for (const [name, value] of Object.entries(roles)) input.setAttribute(name, value);
  let at = -1;
  const isOpen = () => list.matches(":popover-open");
  const close = () => {
    if (isOpen()) list.hidePopover();
    input.setAttribute("aria-expanded", "false");
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
  const open = () => {
    const typed = word()?.[0].slice(2).toLowerCase();
    const wanted = ([text]) => text.toLowerCase().includes(typed);
    const shown = typed === undefined ? [] : suggestions().filter(wanted).slice(0, 12);
    if (shown.length === 0) return close();
    fill(list, shown.map(option));
    const frame = input.getBoundingClientRect();
    Object.assign(list.style, { top: `${frame.bottom + 3}px`, left: `${frame.left}px`, width: `${frame.width}px` });
    if (!isOpen()) list.showPopover();
    input.setAttribute("aria-expanded", "true");
    return point(0);
  };
  input.addEventListener("input", open);
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (!isOpen()) return;
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

// Building what is shown. Text from anywhere becomes a text node, never markup.

// On a phone a row is drawn as a card, which would take away what it is to those who listen.
const ROLES = { table: "table", thead: "rowgroup", tbody: "rowgroup", tr: "row", td: "cell" };

/**
 * An element with its attributes and children. `on…` attributes are listeners, `true` is an attribute without value,
 * `false`, `null` and `undefined` are none; `value` and `checked` are set as properties.
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  if (tag in ROLES) element.setAttribute("role", ROLES[tag]);
  if (tag === "th") element.setAttribute("role", attributes.scope === "row" ? "rowheader" : "columnheader");
  for (const [name, value] of Object.entries(attributes)) set(element, name, value);
  element.append(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

function set(element, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
  else if (name === "value" || name === "checked") element[name] = value;
  else element.setAttribute(name, value === true ? "" : String(value));
}

/** A text that somebody else chose: shown in its own direction, whatever that does. */
export function said(value, attributes = {}) {
  return el("bdi", { class: "said", ...attributes }, String(value));
}

/** Replace what is inside an element. */
export function fill(element, ...children) {
  element.replaceChildren(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false),
  );
}

const signatures = new WeakMap();

/** Replace what is inside an element, but only where what it is made from has changed: focus in it stays. */
export function refill(element, signature, draw) {
  const text = JSON.stringify(signature);
  if (signatures.get(element) === text) return;
  signatures.set(element, text);
  fill(element, draw());
}

/** A text that is only heard. */
export function heard(text) {
  return el("span", { class: "heard" }, text);
}

let last = 0;

/** An id that no other element has. */
export function unique(prefix) {
  last += 1;
  return `${prefix}-${last}`;
}

/**
 * Rows that are kept while what they show is the same, so that focus, selection and open details survive an update.
 * `draw` makes the nodes of one item.
 */
export class Rows {
  constructor(parent, keyOf, draw) {
    this.parent = parent;
    this.keyOf = keyOf;
    this.draw = draw;
    this.shown = new Map();
  }

  update(items, extra = "") {
    const next = new Map();
    let place = this.parent.firstChild;
    for (const item of items) {
      const key = this.keyOf(item);
      const signature = JSON.stringify(item) + extra;
      let row = this.shown.get(key);
      if (row === undefined || row.signature !== signature) {
        const node = this.draw(item);
        if (row !== undefined) {
          const focused = row.node.contains(document.activeElement) ? document.activeElement : null;
          if (row.node === place) place = node;
          row.node.replaceWith(node);
          if (focused !== null) refocus(node, focused);
        }
        row = { signature, node };
      }
      next.set(key, row);
      if (row.node === place) place = place.nextSibling;
      else this.parent.insertBefore(row.node, place);
    }
    for (const [key, row] of this.shown) if (next.get(key)?.node !== row.node) row.node.remove();
    this.shown = next;
  }
}

function refocus(node, focused) {
  const name = focused.dataset?.focus;
  const again = name === undefined ? null : node.querySelector(`[data-focus="${CSS.escape(name)}"]`);
  again?.focus({ preventScroll: true });
}

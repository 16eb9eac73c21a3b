// JSON whose numbers stay as they were written: as numbers of JavaScript, large and long ones would come back rounded.

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?/g;
// Stands before the text of such a number while it is a text of JSON; nobody else's text begins so.
const MARK = `exact-${Math.random().toString(36).slice(2)}-${Date.now()}:`;
const MARKED = new RegExp(`"${MARK}([^"]*)"`, "g");

/** A number that JavaScript would write otherwise, as its text. */
export class ExactNumber {
  constructor(text) {
    this.text = text;
  }

  /** For whoever writes it without :func:`writeExact`. */
  toJSON() {
    return Number(this.text);
  }

  toString() {
    return this.text;
  }
}

export function isNumber(value) {
  return typeof value === "number" || value instanceof ExactNumber;
}

/** Whether a value has members by name. */
export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber);
}

/** A copy of a value, to be changed. */
export function copyOf(value) {
  if (Array.isArray(value)) return value.map(copyOf);
  return isObject(value) ? Object.fromEntries(Object.entries(value).map(([name, each]) => [name, copyOf(each)])) : value;
}

/** What a text of JSON says. Raises a SyntaxError. */
export function parseExact(text) {
  return parsed(text).value;
}

/** The same of an answer, in which only what stands under these names has been written by people: other numbers are those of JavaScript. */
export function parseAnswer(text, given) {
  const { value, rounded } = parsed(text);
  return rounded ? eased(value, given) : value;
}

function parsed(text) {
  const value = JSON.parse(text);
  let rounded = false;
  const marked = text.replace(TOKEN, (token) => {
    if (token.startsWith('"') || String(Number(token)) === token) return token;
    rounded = true;
    return `"${MARK}${token}"`;
  });
  if (!rounded) return { value, rounded };
  const restored = (_, each) => (typeof each === "string" && each.startsWith(MARK) ? new ExactNumber(each.slice(MARK.length)) : each);
  return { value: JSON.parse(marked, restored), rounded };
}

function eased(value, given) {
  if (value instanceof ExactNumber) return Number(value.text);
  if (Array.isArray(value)) return value.map((each) => eased(each, given));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, given.has(name) ? each : eased(each, given)]));
}

/** A value as JSON. */
export function writeExact(value, space = 0) {
  function marked(key, each) {
    return this[key] instanceof ExactNumber ? MARK + this[key].text : each;
  }
  return JSON.stringify(value, marked, space)?.replace(MARKED, "$1");
}

/** A value as it is shown in one line: a text as it is, anything else as JSON. */
export const asText = (value) => (typeof value === "string" ? value : writeExact(value));

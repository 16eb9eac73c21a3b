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

/** What a text of JSON says. Raises a SyntaxError. */
export function parseExact(text) {
  const value = JSON.parse(text);
  let rounded = false;
  const marked = text.replace(TOKEN, (token) => {
    if (token.startsWith('"') || String(Number(token)) === token) return token;
    rounded = true;
    return `"${MARK}${token}"`;
  });
  if (!rounded) return value;
  const restored = (_, each) => (typeof each === "string" && each.startsWith(MARK) ? new ExactNumber(each.slice(MARK.length)) : each);
  return JSON.parse(marked, restored);
}

/** A value as JSON. */
export function writeExact(value, space = 0) {
  function marked(key, each) {
    return this[key] instanceof ExactNumber ? MARK + this[key].text : each;
  }
  return JSON.stringify(value, marked, space)?.replace(MARKED, "$1");
}

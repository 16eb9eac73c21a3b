// What the server says in English sentences, in the language of the page. They are known by their form, since the store
// holds many of them as texts; whatever has no known form, such as what a stone says, stays as it is.

import { spoken } from "./language.js";

/** Members of answers that hold sentences, and those that hold what people have given. */
const SAID = new Set(["detail", "message", "reason", "sentences", "findings", "text", "violation", "warnings", "barred", "log"]);
export const GIVEN = new Set([
  ...["values", "variables", "parameters", "params", "outputs", "inputs", "parts", "files", "xml", "value", "saved"],
  ...["parameterTemplate", "outputsTemplate"],
]);
/** Given by name they are values; in a list they are what a stone declares. */
const DECLARED = new Set(["parameters", "outputs"]);
/** What is longer, nested deeper, or takes more looks is nothing that the engine says, and stays as it is. */
const DEEPEST = 6;
const LONGEST = 1000;
const MOST_LOOKS = 150;
let looks = 0;
const GROUPS = {
  "": "([\\s\\S]*?)",
  "#": "([0-9.,]+)",
  "@": "(\\d{4}-\\d\\d-\\d\\d[ T][\\d:.]+)",
  "~": "([^(),]*)",
};
const PLACE = /(['"]?)\{([#@~]?)\}((?:\{\})*)\1/g;
/** No space between two signs of Chinese. */
const SPACES = /(?<=[\u2018-\u201d\u3000-\u9fff\uff00-\uffef]) (?=[\u2018-\u201d\u3000-\u9fff\uff00-\uffef])/g;

class Form {
  constructor([english, translated]) {
    this.translated = translated;
    this.groups = [];
    let last = 0;
    let pattern = "";
    let longest = "";
    for (const found of english.matchAll(PLACE)) {
      const literal = english.slice(last, found.index);
      if (literal.length > longest.length) longest = literal;
      const quote = found[1] ? "['\"]" : "";
      pattern += `${escaped(literal)}${quote}${quote ? "([^'\"]*)" : GROUPS[found[2]]}${quote}`;
      // Values side by side cannot be told apart: the first stands for all of them.
      this.groups.push(1 + found[3].length / 2);
      last = found.index + found[0].length;
    }
    const rest = english.slice(last);
    this.literal = rest.length > longest.length ? rest : longest;
    this.weight = english.replace(PLACE, "").length;
    this.isPart = /^[ ,;:(]/.test(english);
    this.whole = new RegExp(`^${pattern}${escaped(rest)}$`);
    this.ending = this.isPart ? new RegExp(`^([\\s\\S]*?)${pattern}${escaped(rest)}$`) : null;
  }

  /** What is said with these values, each of them translated. */
  said(values, depth) {
    const places = [];
    this.groups.forEach((width, place) => places.push(inner(values[place], depth), ...Array(width - 1).fill("")));
    let next = 0;
    const said = this.translated.replace(/\{(\d?)\}/g, (_, number) => places[number ? number - 1 : next++] ?? "");
    return said.replace(SPACES, "");
  }
}

function escaped(text) {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}

let known = null;
let learning = null;

/** Have the sentences of this language ready. */
function learn() {
  learning ??= import("./texts/zh-sentences.js").then(({ SENTENCES, PARTS, TAGS }) => {
    const forms = [...SENTENCES, ...PARTS].map((pair) => new Form(pair));
    forms.sort((one, other) => other.weight - one.weight);
    known = { forms, plain: new Map([...SENTENCES, ...PARTS]), endings: forms.filter(({ isPart }) => isPart), tags: TAGS };
  });
  return learning;
}

/** A sentence in the language of the page, or null where it has no known form. */
function translated(text, depth) {
  looks += 1;
  if (depth > DEEPEST || looks > MOST_LOOKS || text.length > LONGEST) return null;
  const plain = known.plain.get(text);
  if (plain !== undefined) return plain;
  const element = /^(\w+) (?:'(.*?)'|"(.*?)")( \((.*)\))?$/.exec(text) ?? /^(\w+) without id$/.exec(text);
  if (element !== null && element[1] in known.tags) {
    const name = element[2] ?? element[3];
    return name === undefined ? `${known.tags[element[1]]}（无 id）` : `${known.tags[element[1]]}“${name}”${element[5] ? `（${element[5]}）` : ""}`;
  }
  const wrong = /^Correct the request: (.+)\.$/s.exec(text);
  if (wrong !== null) return `请改正请求：${wrong[1].split("; ").map((each) => corrected(each, depth + 1)).join("；")}。`;
  for (const form of known.forms) {
    if (!text.includes(form.literal)) continue;
    const found = form.whole.exec(text);
    if (found !== null) return form.said(found.slice(1), depth + 1);
  }
  const pieces = text.split(/(?<=[.!?]) (?=[A-Z'"])/);
  if (pieces.length > 1) {
    const said = pieces.map((piece) => translated(piece, depth + 1));
    if (said.some((each) => each !== null)) return said.map((each, place) => each ?? pieces[place]).join(" ").replace(SPACES, "");
  }
  return ended(text, depth) ?? explained(text, depth) ?? unclosed(text, depth);
}

/** A sentence that others go on with has lost its full stop. */
function unclosed(text, depth) {
  return /^[A-Z].*\w$/s.test(text) ? (translated(`${text}.`, depth + 1)?.replace(/。$/, "") ?? null) : null;
}

/** What is wrong, and in brackets with which fields: these names stay as they are. */
function corrected(text, depth) {
  const [, what, fields] = /^(.*?)(?: \(([^()]*)\))?$/s.exec(text);
  const said = translated(`${what}.`, depth)?.replace(/。$/, "") ?? translated(what, depth) ?? what;
  return fields === undefined ? said : `${said}（${fields}）`;
}

/** What is said, and behind a colon why or what to do. */
function explained(text, depth) {
  for (let colon = text.indexOf(": "); colon > 0; colon = text.indexOf(": ", colon + 1)) {
    const said = translated(text.slice(0, colon), depth + 1);
    if (said !== null) return `${said}：${inner(text.slice(colon + 2), depth + 1)}`;
  }
  return null;
}

/** A text that ends in a known part. */
function ended(text, depth) {
  for (const form of known.endings) {
    if (!text.includes(form.literal)) continue;
    const found = form.ending.exec(text);
    if (found !== null && found[1] !== "") return inner(found[1], depth + 1) + form.said(found.slice(2), depth + 1);
  }
  return null;
}

function inner(text, depth) {
  const listed = text.split(/, | and | or /);
  const said = translated(text, depth);
  if (said !== null || listed.length === 1 || listed.length > 50) return said ?? text;
  const each = listed.map((item) => translated(item, depth));
  return each.includes(null) ? text : each.join("、");
}

/** What was said last: lists are looked at again and again, and say the same. */
const lately = new Map();
const MOST = 2000;

function remembered(text) {
  if (!lately.has(text)) {
    if (lately.size >= MOST) lately.clear();
    looks = 0;
    lately.set(text, translated(text, 0) ?? text);
  }
  return lately.get(text);
}

function relayed(content, isSaid) {
  if (typeof content === "string") return isSaid ? remembered(content) : content;
  if (Array.isArray(content)) return content.map((each) => relayed(each, isSaid));
  if (content === null || typeof content !== "object") return content;
  return Object.fromEntries(Object.entries(content).map(([name, value]) => [name, member(name, value, isSaid)]));
}

function member(name, value, isSaid) {
  // What is wrong stands under the names of fields, whatever these are called.
  if (name === "errors") return wrong(value);
  if (GIVEN.has(name)) return DECLARED.has(name) && Array.isArray(value) ? value.map(declared) : value;
  if (name === "text" || name === "message") return relayed(value, isSaid || name === "message");
  // Of a list or an object only what is said in it: a finding has an element and a code beside its text.
  if (SAID.has(name)) return typeof value === "object" && name === "findings" ? findings(value) : relayed(value, true);
  return relayed(value, false);
}

/** A parameter or an output of a stone: what ready stones say of theirs, such as "Origin". */
function declared(each) {
  if (each === null || typeof each !== "object" || typeof each.name !== "string") return each;
  const said = ["displayName", "description"].filter((member) => typeof each[member] === "string" && each[member] !== "");
  return { ...each, ...Object.fromEntries(said.map((member) => [member, remembered(each[member])])) };
}

function wrong(errors) {
  if (errors === null || typeof errors !== "object" || Array.isArray(errors)) return relayed(errors, true);
  return Object.fromEntries(Object.entries(errors).map(([field, texts]) => [field, relayed(texts, true)]));
}

function findings(value) {
  if (Array.isArray(value)) return value.map((each) => ({ ...each, text: relayed(each.text, true) }));
  return relayed(value, true);
}

/** An answer of the server with its sentences in the language of the page. */
export async function inWords(content) {
  if (spoken() !== "zh" || content === null || typeof content !== "object") return content;
  await learn();
  return relayed(content, false);
}

/** In which language a text of the server is shown. */
export function languageOf(text) {
  return spoken() === "en" || /[㐀-鿿]/.test(text) ? null : "en";
}

// What a decision of DMN asks for: the variables that its table reads, and the tables of the decisions that it needs.

const NAME = /^[\p{L}_][\p{L}\p{N}_]*( [\p{L}\p{N}_]+)*(\.[\p{L}_][\p{L}\p{N}_]*( [\p{L}\p{N}_]+)*)*$/u;
const WORDS = / (and|or|in|if|then|else|for|return|instance of|between) /;
const EXAMPLES = { date: "2026-01-31", time: "14:30:00", datetime: "2026-01-31T14:30:00", dateandtime: "2026-01-31T14:30:00" };
const NUMBERS = ["number", "integer", "int", "long", "double", "float", "decimal"];

function inside(element, name) {
  return [...element.children].filter((child) => child.localName === name);
}

export function idOf(decision) {
  return decision.getAttribute("id") || decision.getAttribute("name") || "";
}

/** The fields of a decision, each with its name, its kind and what may be chosen. */
export function inputsOf(root, id) {
  const decisions = inside(root, "decision");
  const data = new Map(inside(root, "inputData").map((each) => [each.getAttribute("id"), each]));
  const made = new Set(decisions.map((each) => nameOf(each)).concat(decisions.map(idOf)));
  const found = new Map();
  const open = decisions.filter((each) => idOf(each) === id);
  const seen = new Set(open);
  while (open.length > 0) {
    const decision = open.shift();
    for (const field of asked(decision)) if (!made.has(field.name.split(".")[0])) found.set(field.name, found.get(field.name) ?? field);
    for (const [kind, to] of needs(decision)) {
      const next = kind === "requiredDecision" ? decisions.find((each) => each.getAttribute("id") === to) : undefined;
      if (next !== undefined && !seen.has(next)) {
        seen.add(next);
        open.push(next);
      }
      if (kind !== "requiredInput" || !data.has(to)) continue;
      const name = nameOf(data.get(to));
      const isRead = [...found.keys()].some((each) => each === name || each.startsWith(`${name}.`));
      if (!isRead) found.set(name, { name, kind: kindOf(inside(data.get(to), "variable")[0]?.getAttribute("typeRef")), options: [] });
    }
  }
  return [...found.values()];
}

function nameOf(element) {
  return inside(element, "variable")[0]?.getAttribute("name") || element.getAttribute("name") || element.getAttribute("id") || "";
}

function needs(decision) {
  return inside(decision, "informationRequirement").flatMap((each) =>
    [...each.children].map((child) => [child.localName, (child.getAttribute("href") ?? "").split("#").at(-1)]),
  );
}

function asked(decision) {
  const table = inside(decision, "decisionTable")[0];
  const rules = table === undefined ? [] : inside(table, "rule").map((rule) => inside(rule, "inputEntry").map(words));
  return (table === undefined ? [] : inside(table, "input")).flatMap((input, column) => {
    const expression = inside(input, "inputExpression")[0];
    const text = words(expression) || [...input.attributes].find(({ localName }) => localName === "inputVariable")?.value || "";
    if (!NAME.test(text) || WORDS.test(` ${text} `)) return [];
    const label = input.getAttribute("label") ?? "";
    const type = expression?.getAttribute("typeRef");
    const cells = rules.map((entries) => entries[column] ?? "").filter((cell) => !["", "-"].includes(cell));
    const kind = type ? kindOf(type) : guessed(cells);
    const listed = choices(words(inside(input, "inputValues")[0]));
    const options = listed.length > 0 ? listed : [...new Set(cells.flatMap(choices))];
    return [{ name: text, label, hint: EXAMPLES[wordOf(type)] ?? "", kind, options: kind === "text" ? options : [] }];
  });
}

function words(element) {
  return element === undefined ? "" : (inside(element, "text")[0]?.textContent ?? "").trim();
}

/** What is asked by a column without a type, as its cells compare it. */
function guessed(cells) {
  if (cells.length === 0) return "text";
  if (cells.every((cell) => cell === "true" || cell === "false")) return "truth";
  return cells.every((cell) => /^[-\d.\s<>=()[\],]+$/.test(cell)) ? "number" : "text";
}

/** The texts that a list of nothing but texts names. */
function choices(text) {
  return /^"[^"]*"(\s*,\s*"[^"]*")*$/.test(text) ? [...text.matchAll(/"([^"]*)"/g)].map(([, value]) => value) : [];
}

const wordOf = (typeRef) => (typeRef ?? "").split(":").at(-1).toLowerCase();

function kindOf(typeRef) {
  const type = wordOf(typeRef);
  if (NUMBERS.includes(type)) return "number";
  return type === "boolean" ? "truth" : type.startsWith("list") || type === "context" || type === "any" ? "json" : "text";
}

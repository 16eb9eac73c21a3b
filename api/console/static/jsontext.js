// JSON as people read and write it.

import { el, fill, said, unique } from "./element.js";
import { isObject, parseExact, writeExact } from "./exactjson.js";
import { t } from "./language.js";
import { whenReleased } from "./pointer.js";

const LONG = 20_000;

/** A value as it may be read: a text as it is, anything else as JSON. */
export function shownValue(value) {
  if (typeof value === "string")
    return value === "" ? el("span", { class: "faint" }, t("empty")) : block(value, "text");
  return isObject(value) || Array.isArray(value) ? block(writeExact(value, 2), "code") : el("code", {}, writeExact(value) ?? "");
}

function block(text, kind) {
  const node = el(kind === "code" ? "pre" : "span", { class: `value-${kind}` }, said(text.slice(0, LONG)));
  if (text.length <= LONG) return node;
  const more = el(
    "button",
    { type: "button", class: "small", onclick: () => fill(node, said(text)) },
    t("more.text", { count: text.length }),
  );
  node.append(" ", more);
  return node;
}

/** Names and values in two columns. */
export function valueTable(values, caption) {
  const names = Object.keys(values);
  if (names.length === 0) return el("p", { class: "faint" }, t("none"));
  return el(
    "table",
    { class: "pairs" },
    el("caption", { class: "heard" }, caption),
    el(
      "tbody",
      {},
      names.map((name) => el("tr", {}, el("th", { scope: "row" }, said(name)), el("td", {}, shownValue(values[name])))),
    ),
  );
}

/** JSON text read, or `{}` where there is none. */
export function readObject(text) {
  if (!text) return {};
  try {
    const value = parseExact(text);
    return isObject(value) || Array.isArray(value) ? value : { "": value };
  } catch {
    return { "": text };
  }
}

/** A field for a JSON value that tells where it is wrong. `kind` is `object`, `array` or `any`. */
export class JsonField {
  constructor({ label, value = "", kind = "object", hint = "", rows = 8, optional = true }) {
    this.kind = kind;
    this.optional = optional;
    const id = unique("json");
    this.wrong = el("p", { class: "wrong", id: `${id}-wrong`, "aria-live": "polite" });
    this.area = el("textarea", {
      id,
      rows,
      spellcheck: "false",
      autocapitalize: "off",
      class: "code",
      "aria-describedby": `${hint ? `${id}-hint ` : ""}${id}-wrong`,
      value,
      onblur: () => whenReleased(() => this.check()),
      oninput: () => this.wrong.textContent && this.check(),
    });
    const tidy = el("button", { type: "button", class: "small", onclick: () => this.tidy() }, t("json.tidy"));
    this.node = el(
      "div",
      { class: "field" },
      el("div", { class: "field-head" }, el("label", { for: id }, label), tidy),
      hint && el("p", { class: "hint", id: `${id}-hint` }, hint),
      this.area,
      this.wrong,
    );
  }

  get text() {
    return this.area.value.trim();
  }

  /** The value; undefined where the field is empty or wrong (ask `check`). */
  get value() {
    try {
      return this.text === "" ? undefined : parseExact(this.text);
    } catch {
      return undefined;
    }
  }

  set value(value) {
    this.area.value = value === undefined ? "" : writeExact(value, 2);
    this.check();
  }

  tidy() {
    if (this.check() && this.text) this.value = this.value;
  }

  check() {
    const text = this.#complaint();
    this.wrong.textContent = text;
    this.area.setAttribute("aria-invalid", text === "" ? "false" : "true");
    return text === "";
  }

  #complaint() {
    if (this.text === "") return this.optional ? "" : t("json.missing");
    let value;
    try {
      value = JSON.parse(this.text);
    } catch (error) {
      return t("json.wrong", { text: error.message });
    }
    const isArray = Array.isArray(value);
    if (this.kind === "object" && (value === null || typeof value !== "object" || isArray)) return t("json.object");
    return this.kind === "array" && !isArray ? t("json.array") : "";
  }
}

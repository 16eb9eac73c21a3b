// One value that somebody fills in by its name: a text, a number, a yes or no, or anything as JSON.

import { el, fill, said, unique } from "./element.js";
import { ExactNumber, parseExact, writeExact } from "./exactjson.js";
import { t } from "./language.js";
import { whenReleased } from "./pointer.js";

const KINDS = ["text", "number", "truth", "json"];

/** What a value that is there is filled in as. */
export function kindOf(value) {
  // No field for texts keeps a carriage return as it is.
  if (value === undefined || typeof value === "string") return value?.includes("\r") ? "json" : "text";
  if (value instanceof ExactNumber) return "number";
  return { number: "number", boolean: "truth" }[typeof value] ?? "json";
}

export class ValueField {
  /** `name` is what it is sent under; null where whoever fills it in gives the name too, which can be taken away again. */
  constructor({ name = null, label = "", hint = "", kind = null, value, options = [], secret = false, remove = null }) {
    Object.assign(this, { name, options, secret });
    this.id = unique("value");
    this.kind = kind ?? kindOf(value);
    this.wrong = el("p", { class: "wrong", id: `${this.id}-wrong`, "aria-live": "polite" });
    this.place = el("div", { class: "value-input" });
    this.naming = name === null ? el("input", { id: `${this.id}-name`, type: "text", spellcheck: "false", autocomplete: "off", class: "code" }) : null;
    this.choice = this.#kinds(label || name);
    this.node = el("div", { class: "field value-field" }, this.#head(label, remove), hint && el("p", { class: "hint", id: `${this.id}-hint` }, hint), this.#row(), this.wrong);
    this.described = `${hint ? `${this.id}-hint ` : ""}${this.id}-wrong`;
    /** What it was drawn with, which is its value as long as nobody edits it. */
    this.held = null;
    this.#show(this.secret ? undefined : value);
    [this.first, this.firstKind, this.filled] = [this.text, this.kind, this.held !== null];
  }

  #show(value) {
    this.#draw(value === undefined ? "" : textOf(value, this.kind));
    this.held = value === undefined ? null : { value, text: this.text, kind: this.kind };
  }

  /** Fill in a value, which may be of another kind than what is asked for. */
  take(value) {
    this.kind = this.firstKind === "json" ? "json" : kindOf(value);
    this.choice.value = this.kind;
    this.#show(value);
  }

  #head(label, remove) {
    if (this.naming === null)
      return el("label", { for: this.id }, said(label || this.name), label && label !== this.name && el("code", {}, said(this.name)));
    return el("div", { class: "value-name" }, el("label", { for: this.naming.id }, t("value.name")), this.naming, remove);
  }

  #row() {
    const unnamed = this.naming !== null && el("label", { for: this.id }, t("value.value"));
    return [unnamed, el("div", { class: "value-row" }, this.place, !this.secret && this.choice)];
  }

  #kinds(about) {
    const changed = () => {
      const text = this.text;
      this.kind = this.choice.value;
      this.#draw(text);
      this.complain("");
    };
    const label = about ? t("value.kind.of", { name: about }) : t("value.kind");
    return el("select", { "aria-label": label, onchange: changed }, KINDS.map((kind) => el("option", { value: kind, selected: kind === this.kind }, t(`value.${kind}`))));
  }

  #draw(shown) {
    const json = this.kind === "json";
    const shared = {
      id: this.id,
      spellcheck: "false",
      autocomplete: "off",
      "aria-describedby": this.described,
      oninput: () => this.wrong.textContent && this.check(),
      onblur: () => whenReleased(() => this.check()),
      onpaste: (event) => this.#pasted(event),
    };
    const list = `${this.id}-list`;
    // An input strips line breaks.
    if (json || (shown.includes("\n") && this.kind !== "truth"))
      this.input = el("textarea", { ...shared, rows: Math.min(8, Math.max(2, shown.split("\n").length)), class: json ? "code" : this.secret ? "unseen" : null });
    else if (this.secret) this.input = el("input", { ...shared, type: "password", autocomplete: "new-password" });
    else if (this.kind === "truth") this.input = choice(shared, [["", t("choose")], ["true", t("form.yes")], ["false", t("form.no")]]);
    else this.input = el("input", { ...shared, type: "text", inputmode: this.kind === "number" ? "decimal" : null, list: this.options.length > 0 ? list : null });
    this.input.value = shown;
    fill(this.place, this.input, this.options.length > 0 && el("datalist", { id: list }, this.options.map((each) => el("option", { value: each }))));
  }

  /** Make room for the line breaks of what is pasted. */
  #pasted(event) {
    const text = event.clipboardData?.getData("text/plain") ?? "";
    if (this.kind !== "text" || this.input.tagName !== "INPUT" || !/[\r\n]/.test(text.trim())) return;
    event.preventDefault();
    const { value, selectionStart, selectionEnd } = this.input;
    this.#draw(value.slice(0, selectionStart) + text + value.slice(selectionEnd));
    this.input.focus();
    this.input.dispatchEvent(new Event("input", { bubbles: true }));
  }

  get text() {
    return this.input.value;
  }

  /** Whether it is another value than the one that was there; one with a name of its own always is. */
  get edited() {
    return this.naming !== null || this.text !== this.first || this.kind !== this.firstKind;
  }

  get key() {
    return this.name ?? this.naming.value.trim();
  }

  /** What is filled in; undefined where that is nothing. Raises a SyntaxError that says what is no value of its kind. */
  get value() {
    if (this.text === this.held?.text && this.kind === this.held.kind) return this.held.value;
    // A text that was there and is taken away is an empty one.
    if (this.kind === "text") return this.text === "" && !this.#owed ? undefined : this.text;
    if (this.text.trim() === "") return undefined;
    return this.#parsed;
  }

  get #parsed() {
    let why = t("form.wrong.number");
    try {
      const value = parseExact(this.kind === "number" ? this.text.trim().replace(/^\+/, "") : this.text);
      if (this.kind !== "number" || kindOf(value) === "number") return value;
    } catch ({ message }) {
      if (this.kind !== "number") why = t("json.wrong", { text: message });
    }
    throw new SyntaxError(why);
  }

  /** Whether it has to have a value: there was one, or somebody has named one. */
  get #owed() {
    return this.naming === null ? this.filled : this.key !== "";
  }

  check() {
    let text = "";
    try {
      if (this.value === undefined) text = this.#owed ? t("value.missing") : "";
      else if (this.key === "") text = t("value.unnamed");
    } catch (error) {
      text = error.message;
    }
    this.complain(text);
    return text === "";
  }

  complain(text) {
    this.wrong.textContent = text;
    this.input.setAttribute("aria-invalid", text === "" ? "false" : "true");
  }
}

const textOf = (value, kind) => (typeof value === "string" && kind !== "json" ? value : writeExact(value, kind === "json" ? 2 : 0));

function choice(shared, options) {
  return el("select", { ...shared, oninput: null }, options.map(([value, text]) => el("option", { value }, text)));
}

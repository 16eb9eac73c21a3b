// One value that somebody fills in by its name: a text, a number, a yes or no, or anything as JSON.

import { el, fill, said, staysHere, unique } from "./element.js";
import { t } from "./language.js";

const KINDS = ["text", "number", "truth", "json"];

/** What a value that is there is filled in as. */
export function kindOf(value) {
  if (value === undefined || typeof value === "string") return "text";
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
    this.#draw(value);
    this.first = this.text;
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
      this.#draw(undefined);
      if (this.kind !== "truth") this.input.value = text;
      this.complain("");
    };
    const label = about ? t("value.kind.of", { name: about }) : t("value.kind");
    return el("select", { "aria-label": label, onchange: changed }, KINDS.map((kind) => el("option", { value: kind, selected: kind === this.kind }, t(`value.${kind}`))));
  }

  #draw(value) {
    const shown = value === undefined || this.secret ? "" : typeof value === "string" && this.kind !== "json" ? value : JSON.stringify(value, null, 2);
    const shared = {
      id: this.id,
      spellcheck: "false",
      autocomplete: "off",
      "aria-describedby": this.described,
      oninput: () => this.wrong.textContent && this.check(),
      onblur: (event) => staysHere(event) || this.check(),
    };
    const list = `${this.id}-list`;
    if (this.secret) this.input = el("input", { ...shared, type: "password", autocomplete: "new-password" });
    else if (this.kind === "truth") this.input = choice(shared, [["", t("choose")], ["true", t("form.yes")], ["false", t("form.no")]]);
    else if (this.kind === "json") this.input = el("textarea", { ...shared, rows: Math.min(8, Math.max(2, shown.split("\n").length)), class: "code" });
    else this.input = el("input", { ...shared, type: "text", inputmode: this.kind === "number" ? "decimal" : null, list: this.options.length > 0 ? list : null });
    this.input.value = shown;
    fill(this.place, this.input, this.options.length > 0 && el("datalist", { id: list }, this.options.map((each) => el("option", { value: each }))));
  }

  get text() {
    return this.input.value;
  }

  /** Whether anything was filled in since it was drawn. */
  get edited() {
    return this.text !== this.first;
  }

  get key() {
    return this.name ?? this.naming.value.trim();
  }

  /** What is filled in; undefined where that is nothing. Raises a SyntaxError for what is no value of its kind. */
  get value() {
    // A text that was there and is taken away is an empty one.
    if (this.kind === "text" && this.text === "" && this.first) return "";
    if (this.text.trim() === "" && (this.kind !== "text" || this.text === "")) return undefined;
    if (this.kind === "text") return this.text;
    const value = JSON.parse(this.kind === "number" ? this.text.trim().replace(/^\+/, "") : this.text);
    if (this.kind === "number" && typeof value !== "number") throw new SyntaxError(t("form.wrong.number"));
    return value;
  }

  check() {
    let text = "";
    try {
      if (this.value !== undefined && this.key === "") text = t("value.unnamed");
    } catch (error) {
      text = this.kind === "number" ? t("form.wrong.number") : t("json.wrong", { text: error.message });
    }
    this.complain(text);
    return text === "";
  }

  complain(text) {
    this.wrong.textContent = text;
    this.input.setAttribute("aria-invalid", text === "" ? "false" : "true");
  }
}

function choice(shared, options) {
  return el("select", { ...shared, oninput: null }, options.map(([value, text]) => el("option", { value }, text)));
}

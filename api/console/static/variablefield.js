// The field of one variable of a parameter template, with its limits, its default and its link to another one.

import { el, said, unique } from "./element.js";
import { asText, isNumber, parseExact } from "./exactjson.js";
import { t } from "./language.js";
import { MASKED } from "./masked.js";
import { whenReleased } from "./pointer.js";

const REFERENCE = "Ref:";
const LISTS = ["List", "CommaDelimitedList"];
const TYPES = ["String", "Number", "Integer", "Boolean", "List", "CommaDelimitedList", "Map", "Json"];

function isOn(value) {
  return value === true || (typeof value === "string" && value.toLowerCase() === "true");
}

function typeOf(entry) {
  const name = (entry.Type || "String").toLowerCase();
  if (name.startsWith("list")) return "List";
  return TYPES.find((type) => type.toLowerCase() === name) ?? "String";
}

/** A number as it is written; what JavaScript would round, and what is none for it, is left to the server as its text. */
function numberOf(text) {
  try {
    const value = parseExact(text.trim().replace(/^\+/, ""));
    if (isNumber(value)) return value;
  } catch {
    // It may be written in another way than JSON's, as 007 is.
  }
  const value = Number(text);
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? text.trim() : value;
}

export class VariableField {
  constructor(entry, changed) {
    this.entry = entry;
    this.type = typeOf(entry);
    this.key = entry.Key;
    this.namespace = entry.NameSpace || null;
    this.path = this.namespace === null ? this.key : `${this.namespace}.${this.key}`;
    this.secret = isOn(entry.NoEcho);
    const given = entry.DefaultValue ?? null;
    this.reference =
      typeof given === "string" && given.startsWith(REFERENCE) ? given.slice(REFERENCE.length).trim() : null;
    this.fallback = this.reference === null ? given : null;
    this.required = given === null || given === "";
    const id = unique("variable");
    this.id = id;
    this.input = this.#input({
      id,
      oninput: () => (this.wrong.textContent && this.check(), changed()),
      onchange: () => changed(),
      onblur: () => whenReleased(() => this.check()),
    });
    this.wrong = el("p", { class: "wrong", id: `${id}-wrong`, "aria-live": "polite" });
    const hint = this.#hint();
    this.input.setAttribute("aria-describedby", `${hint ? `${id}-hint ` : ""}${id}-wrong`);
    if (this.required) this.input.setAttribute("aria-required", "true");
    const name = entry.DisplayName || this.key;
    this.node = el(
      "div",
      { class: "field" },
      el(
        "label",
        { for: id },
        said(name),
        name !== this.key && el("code", {}, said(this.key)),
        this.required && el("span", { class: "needed" }, t("needed")),
      ),
      this.input,
      hint && el("p", { class: "hint", id: `${id}-hint` }, hint),
      this.wrong,
    );
  }

  #input(shared) {
    const { AllowedValues: allowed, AllowedCustomization: open } = this.entry;
    if (this.secret) return el("input", { ...shared, type: "password", autocomplete: "new-password" });
    if (Array.isArray(allowed) && allowed.length > 0 && LISTS.includes(this.type)) {
      return el(
        "select",
        { ...shared, multiple: true, size: Math.min(6, allowed.length) },
        allowed.map((value) => this.#option(value)),
      );
    }
    if (Array.isArray(allowed) && allowed.length > 0 && !isOn(open)) {
      return el(
        "select",
        shared,
        this.#none(),
        allowed.map((value) => this.#option(value)),
      );
    }
    if (this.type === "Boolean")
      return el(
        "select",
        shared,
        this.#none(),
        ["true", "false"].map((value) => this.#option(value)),
      );
    if (this.type === "Map" || this.type === "Json")
      return el("textarea", {
        ...shared,
        rows: 3,
        class: "code",
        spellcheck: "false",
        placeholder: this.#shownDefault(),
      });
    const numeric = this.type === "Number" || this.type === "Integer";
    const input = el("input", {
      ...shared,
      type: "text",
      inputmode: numeric ? "decimal" : null,
      autocomplete: "off",
      spellcheck: "false",
      placeholder: this.#shownDefault(),
    });
    if (Array.isArray(allowed) && allowed.length > 0) {
      input.setAttribute("list", `${shared.id}-list`);
      return this.#listed(input, allowed);
    }
    return input;
  }

  #listed(input, allowed) {
    this.extra = el(
      "datalist",
      { id: `${input.id}-list` },
      allowed.map((value) => el("option", { value: asText(value) })),
    );
    document.body.append(this.extra);
    return input;
  }

  #option(value) {
    const text = asText(value);
    return el("option", { value: text }, text);
  }

  #none() {
    const shown = this.#shownDefault();
    return el("option", { value: "" }, shown === "" ? t("choose") : t("default.is", { value: shown }));
  }

  #shownDefault() {
    if (this.fallback === null || this.fallback === "") return "";
    return this.secret ? MASKED : asText(this.fallback);
  }

  #hint() {
    const { Description, MinValue, MaxValue, MinLength, MaxLength, ConstraintDescription } = this.entry;
    const range = (low, high, word) => {
      if (!isSet(low) && !isSet(high)) return null;
      return t(
        isSet(low) && isSet(high) ? `limit.${word}` : isSet(low) ? `limit.${word}.least` : `limit.${word}.most`,
        { low, high },
      );
    };
    const texts = [
      Description,
      this.reference !== null && t("same.as", { name: this.reference }),
      range(MinValue, MaxValue, "value"),
      range(MinLength, MaxLength, LISTS.includes(this.type) ? "items" : "length"),
      LISTS.includes(this.type) && !this.entry.AllowedValues && t("limit.commas"),
      ConstraintDescription,
    ];
    return texts.filter(Boolean).join(" ");
  }

  get isEmpty() {
    return this.input.multiple ? this.input.selectedOptions.length === 0 : this.input.value === "";
  }

  /** The value as it is sent; undefined where the default is to be taken. */
  get value() {
    if (this.isEmpty) return undefined;
    if (this.input.multiple) return [...this.input.selectedOptions].map(({ value }) => this.#allowed(value));
    const text = this.input.value;
    if (Array.isArray(this.entry.AllowedValues) && !LISTS.includes(this.type)) return this.#allowed(text);
    if (this.type === "Number" || this.type === "Integer") return numberOf(text);
    if (this.type === "Boolean") return text === "true";
    if (LISTS.includes(this.type)) return text.split(",").map((item) => item.trim());
    return this.type === "Map" || this.type === "Json" ? parseExact(text) : text;
  }

  #allowed(text) {
    const found = this.entry.AllowedValues.find((value) => asText(value) === text);
    return found === undefined ? text : found;
  }

  set value(value) {
    if (value === undefined || value === null || value === MASKED) return;
    if (this.input.multiple) {
      const texts = (Array.isArray(value) ? value : [value]).map(asText);
      for (const option of this.input.options) option.selected = texts.includes(option.value);
      return;
    }
    this.input.value = LISTS.includes(this.type) && Array.isArray(value) ? value.map(asText).join(", ") : asText(value);
  }

  /** What another field that this one copies holds at the moment. */
  follow(text) {
    if (this.reference === null) return;
    if (this.input.tagName === "SELECT")
      this.input.options[0].textContent = text ? t("default.is", { value: text }) : t("choose");
    else if (!this.secret) this.input.placeholder = text;
  }

  get shownText() {
    if (this.secret) return "";
    return this.isEmpty
      ? this.#shownDefault()
      : this.input.multiple
        ? [...this.input.selectedOptions].map(({ value }) => value).join(", ")
        : this.input.value;
  }

  check() {
    return this.complain(this.#complaint());
  }

  complain(text) {
    this.wrong.textContent = text;
    this.input.setAttribute("aria-invalid", text === "" ? "false" : "true");
    return text === "";
  }

  #complaint() {
    const { entry } = this;
    if (this.isEmpty) return this.required ? t("wrong.missing") : "";
    let value;
    try {
      value = this.value;
    } catch (error) {
      return t("json.wrong", { text: error.message });
    }
    const own = (text) => entry.ConstraintDescription || text;
    if (this.type === "Number" || this.type === "Integer") {
      if (!Number.isFinite(Number(value)) || String(value).trim() === "") return t("wrong.number");
      if (this.type === "Integer" && !Number.isInteger(Number(value))) return t("wrong.integer");
      if (isSet(entry.MinValue) && Number(value) < Number(entry.MinValue))
        return own(t("limit.value.least", { low: entry.MinValue }));
      if (isSet(entry.MaxValue) && Number(value) > Number(entry.MaxValue))
        return own(t("limit.value.most", { high: entry.MaxValue }));
      return "";
    }
    const items = Array.isArray(value);
    const length = items ? value.length : [...asText(value)].length;
    const word = items ? "items" : "length";
    if (isSet(entry.MinLength) && length < Number(entry.MinLength))
      return own(t(`limit.${word}.least`, { low: entry.MinLength }));
    if (isSet(entry.MaxLength) && length > Number(entry.MaxLength))
      return own(t(`limit.${word}.most`, { high: entry.MaxLength }));
    if (entry.AllowedPattern && !(items ? value : [value]).every((item) => fits(entry.AllowedPattern, asText(item)))) {
      return own(t("wrong.pattern", { pattern: entry.AllowedPattern }));
    }
    return "";
  }
}

function isSet(limit) {
  return limit !== undefined && limit !== null && limit !== "";
}

/** Whether a text has the form; a pattern that this browser reads otherwise is left to the server. */
function fits(pattern, text) {
  try {
    return new RegExp(`^(?:${pattern})$`, "u").test(text);
  } catch {
    return true;
  }
}

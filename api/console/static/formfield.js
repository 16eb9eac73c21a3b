// One field of a form that a person fills in: how it looks, what it holds, and what is wrong with it.

import { el, fill, said, unique } from "./element.js";
import { asText, writeExact } from "./exactjson.js";
import { t } from "./language.js";

const DATE_INPUTS = { date: "date", time: "time", datetime: "datetime-local" };

/** A field for one part; `changed(touched)` is called when it is filled in, and when it is left. */
export class FormField {
  constructor(part, value, changed) {
    this.part = part;
    this.changed = changed;
    this.touched = false;
    this.id = unique("answer");
    this.given = value;
    this.wrong = el("p", { class: "wrong", id: `${this.id}-wrong`, "aria-live": "polite" });
    this.hint = el("p", { class: "hint", id: `${this.id}-hint` });
    this.name = el("span");
    this.marks = el("span", { class: "needed" });
    this.grouped = part.kind === "radio" || part.kind === "checklist";
    this.inputs = el("div", { class: "answer-inputs" });
    this.node = this.#frame();
    this.#draw();
    this.set(value);
    this.first = writeExact(this.read());
  }

  #frame() {
    const { kind } = this.part;
    if (kind === "checkbox")
      return el(
        "div",
        { class: "field" },
        el("div", { class: "check" }, this.inputs, el("label", { for: this.id }, this.name, " ", this.marks)),
        this.hint,
        this.wrong,
      );
    if (this.grouped)
      return el(
        "fieldset",
        { class: "field answers", "aria-describedby": `${this.id}-hint ${this.id}-wrong` },
        el("legend", {}, this.name, " ", this.marks),
        this.hint,
        this.inputs,
        this.wrong,
      );
    return el(
      "div",
      { class: "field" },
      el("label", { for: this.id }, this.name, this.marks),
      this.hint,
      this.inputs,
      this.wrong,
    );
  }

  /** Draw what belongs to the part as it stands, and keep what was typed. */
  update(part) {
    const value = this.read();
    const same = writeExact([this.part.options, this.part.readonly]) === writeExact([part.options, part.readonly]);
    const limits = writeExact([this.part.label, this.part.description, this.part.maximum, this.part.minimum]);
    this.part = part;
    if (same && limits === writeExact([part.label, part.description, part.maximum, part.minimum])) return;
    if (same) {
      this.#tell();
      return;
    }
    this.#draw();
    this.set(value);
  }

  #tell() {
    const { label, key, description, required, minimum, maximum, shortest, longest, readonly } = this.part;
    fill(this.name, said(label || key));
    this.marks.textContent = readonly ? t("form.readonly") : required ? t("needed") : "";
    const range = (low, high, word) =>
      low === null && high === null
        ? ""
        : t(low !== null && high !== null ? `limit.${word}` : low !== null ? `limit.${word}.least` : `limit.${word}.most`, { low, high });
    fill(this.hint, [description, range(minimum, maximum, "value"), range(shortest, longest, "length")].filter(Boolean).join(" "));
  }

  #draw() {
    this.#tell();
    const { kind, readonly, options, required, suggests } = this.part;
    const shared = {
      id: this.id,
      "aria-describedby": `${this.id}-hint ${this.id}-wrong`,
      "aria-required": required ? "true" : null,
      oninput: () => this.changed(this, false),
      onchange: () => this.#left(),
      onblur: () => this.#left(),
    };
    this.control = null;
    if (this.grouped) {
      const type = kind === "radio" ? "radio" : "checkbox";
      fill(
        this.inputs,
        options.map((option, place) =>
          el(
            "label",
            { class: "check choice" },
            el("input", {
              type,
              name: this.id,
              value: String(place),
              disabled: readonly,
              onchange: () => this.#left(),
            }),
            el("span", {}, said(this.#word(option))),
          ),
        ),
        options.length === 0 && el("p", { class: "faint" }, t("form.nothing")),
      );
      return;
    }
    if (kind === "select" && !suggests) {
      this.control = el(
        "select",
        { ...shared, disabled: readonly },
        el("option", { value: "" }, t("choose")),
        options.map((option, place) => el("option", { value: String(place) }, this.#word(option))),
      );
    } else if (kind === "textarea") this.control = el("textarea", { ...shared, rows: 4, readonly });
    else if (kind === "checkbox") this.control = el("input", { ...shared, type: "checkbox", disabled: readonly });
    else this.control = el("input", { ...shared, ...this.#input(), readonly });
    const list = suggests && el("datalist", { id: `${this.id}-list` }, options.map(({ label }) => el("option", { value: label })));
    fill(this.inputs, this.control, list);
  }

  #input() {
    const { kind, date, secret, suggests } = this.part;
    if (secret) return { type: "password", autocomplete: "new-password" };
    if (kind === "datetime") return { type: DATE_INPUTS[date] };
    if (kind === "number") return { type: "text", inputmode: "decimal", autocomplete: "off" };
    return { type: "text", autocomplete: "off", list: suggests ? `${this.id}-list` : null };
  }

  #word({ value, label }) {
    if (value === true && label === "true") return t("form.yes");
    if (value === false && label === "false") return t("form.no");
    return label;
  }

  #left() {
    this.touched = true;
    this.changed(this, true);
  }

  /** What it holds; null where it is empty. */
  read() {
    const { kind, options, suggests } = this.part;
    if (this.grouped) {
      const chosen = [...this.inputs.querySelectorAll("input:checked")].map(({ value }) => options[Number(value)]?.value);
      return kind === "radio" ? (chosen[0] ?? null) : chosen;
    }
    if (kind === "checkbox") return this.control.checked;
    const text = this.control.value;
    if (text === "") return null;
    if (kind === "select" && !suggests) return options[Number(text)]?.value ?? null;
    return text;
  }

  set(value) {
    const { kind, options, suggests } = this.part;
    if (value === undefined || value === null) return;
    if (this.grouped) {
      const texts = (Array.isArray(value) ? value : [value]).map((each) => writeExact(each));
      for (const input of this.inputs.querySelectorAll("input"))
        input.checked = texts.includes(writeExact(options[Number(input.value)]?.value));
    } else if (kind === "checkbox") this.control.checked = value === true || value === "true";
    else if (kind === "select" && !suggests) {
      const place = options.findIndex((option) => writeExact(option.value) === writeExact(value));
      this.control.value = place < 0 ? "" : String(place);
    } else if (kind === "datetime") this.control.value = this.#moment(String(value));
    else this.control.value = asText(value);
  }

  /** A moment as the browser's own field takes it. */
  #moment(text) {
    const { date } = this.part;
    if (date === "date") return text.slice(0, 10);
    if (date === "time") return text.slice(0, 5);
    return text.slice(0, 16);
  }

  /** Whether anything was filled in since it was drawn first. */
  get edited() {
    return writeExact(this.read()) !== this.first;
  }

  /** What is sent: what was filled in; undefined where there is nothing to say. */
  get value() {
    if (this.part.readonly) return undefined;
    if (!this.edited) return this.given ?? (this.part.kind === "checkbox" ? false : undefined);
    return this.read();
  }

  complain(text) {
    this.wrong.textContent = text;
    this.node.classList.toggle("is-wrong", text !== "");
    for (const input of this.node.querySelectorAll("input, select, textarea"))
      input.setAttribute("aria-invalid", text === "" ? "false" : "true");
  }

  focus() {
    (this.control ?? this.inputs.querySelector("input"))?.focus();
  }
}

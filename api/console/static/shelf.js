// The shelf of the registered stones: searched, put behind the chosen element by a click, or dragged onto the diagram.

import { codeOf } from "./editstone.js";
import { el, fill, said } from "./element.js";
import { icon } from "./icon.js";
import { t } from "./language.js";

export class Shelf {
  constructor({ editor, templates }) {
    this.editor = editor;
    this.templates = templates;
    const text = t("search.stones");
    this.field = el("input", { type: "search", placeholder: text, "aria-label": text, oninput: () => this.#draw() });
    this.list = el("ul", {});
    this.nodes = [
      el("h2", {}, t("nav.stones")),
      this.field,
      this.list,
      el("p", { class: "hint" }, t("edit.shelf.hint")),
    ];
    this.#draw();
  }

  #draw() {
    const wanted = this.field.value.trim().toLowerCase();
    const found = this.templates.filter(({ name, id, description }) =>
      `${name} ${id} ${description}`.toLowerCase().includes(wanted),
    );
    const cards = found.map((template) => el("li", {}, this.#card(template)));
    const text = t(this.templates.length > 0 ? "edit.shelf.nothing" : "empty.stones");
    fill(this.list, cards.length > 0 ? cards : el("li", { class: "faint" }, text));
  }

  #card(template) {
    const dragged = (event) => {
      event.preventDefault();
      this.editor.place(template, event);
    };
    return el(
      "button",
      {
        type: "button",
        class: "quiet stone-card",
        title: template.description,
        draggable: "true",
        onclick: (event) => {
          this.editor.append(template);
          // The diagram takes the focus, which is where a pointer goes on, but not the keyboard.
          if (event.detail === 0) event.currentTarget.focus();
        },
        ondragstart: dragged,
      },
      icon("model"),
      el("span", {}, said(template.name), template.name !== codeOf(template) && el("span", { class: "sub" }, codeOf(template))),
    );
  }
}

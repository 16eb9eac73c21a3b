// The shelf of the registered stones: searched, put behind the chosen element by a click, or dragged onto the diagram.

import { codeOf } from "./editstone.js";
import { el, fill, said } from "./element.js";
import { icon } from "./icon.js";
import { t } from "./language.js";

/** The button that shows the shelf where there is no room for it beside the diagram; a stone that is tapped hides it. */
export function shelfOpener(shelf) {
  const open = (on) => {
    shelf.classList.toggle("is-open", on);
    button.setAttribute("aria-expanded", String(on));
  };
  const toggle = (event) => {
    open(!shelf.classList.contains("is-open"));
    // By the keyboard; a finger would get a keyboard over the shelf.
    if (event.detail === 0) shelf.querySelector("input")?.focus();
  };
  const attributes = { type: "button", class: "designer-shelf-opener", "aria-expanded": "false", "aria-controls": shelf.id };
  const button = el("button", { ...attributes, onclick: toggle }, icon("plus"), t("nav.stones"));
  shelf.addEventListener("click", ({ target, detail }) => detail > 0 && target.closest(".stone-card") && open(false));
  shelf.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape" || !shelf.classList.contains("is-open")) return;
    open(false);
    button.focus();
  });
  return button;
}

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

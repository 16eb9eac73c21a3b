// The bar above the drawing: where one is, how it stands, and what can be done with it.

import { el } from "./element.js";
import { icon } from "./icon.js";
import { t } from "./language.js";
import { to } from "./route.js";

const FORMATS = ["bpmn", "svg", "png"];

export class EditBar {
  /** `acts` are what its buttons do; `parts` are shown first, and `verdict` behind the tools. */
  constructor({ id, parts, shelf, verdict, ...acts }) {
    this.undo = tool("undone", "edit.undo.do", acts.undo);
    this.redo = tool("redo", "edit.redo.do", acts.redo);
    // Nothing can be done before something is drawn.
    this.parts = [
      el(
        "div",
        { class: "designer-tools", inert: true },
        shelf,
        this.undo,
        this.redo,
        tool("fit", "zoom.fit", acts.fit),
        // Its list closes with the click that opens it.
        tool("search", "edit.search", () => setTimeout(acts.find)),
      ),
      el(
        "div",
        { class: "actions", inert: true },
        button("edit.diff", acts.differ, "diff"),
        menu("download", "edit.download", FORMATS.map((kind) => item(kind.toUpperCase(), () => acts.download(kind)))),
        button("edit.discard", acts.discard, null, "quiet"),
        button("save", acts.save),
        button("trial", acts.tryIt, "play"),
        button("deploy", acts.deploy, "upload", "primary"),
      ),
    ];
    const back = id ? to("model", id) : to("models");
    this.node = el(
      "div",
      { class: "designer-bar" },
      el("a", { class: "button square quiet", href: back, "aria-label": t("nav.models"), title: t("nav.models") }, icon("left")),
      parts,
      this.parts[0],
      verdict,
      this.parts[1],
    );
  }

  /** Something is drawn now. */
  ready() {
    for (const part of this.parts) part.inert = false;
  }

  /** What can be undone now, and done again. */
  follow(stack) {
    this.undo.disabled = !stack.canUndo();
    this.redo.disabled = !stack.canRedo();
  }
}

function tool(sign, text, act) {
  const label = t(text);
  return el("button", { type: "button", class: "square quiet", "aria-label": label, title: label, onclick: act }, icon(sign));
}

function button(text, act, sign = null, kind = "") {
  return el("button", { type: "button", class: kind, onclick: act }, sign && icon(sign), t(text));
}

function item(text, act) {
  return el("button", { type: "button", class: "quiet", onclick: act }, text);
}

function menu(sign, text, items) {
  const summary = el("summary", { class: "button" }, icon(sign), t(text));
  const node = el("details", { class: "menu", onkeydown: (event) => event.key === "Escape" && shut(event) }, summary, el("div", { class: "menu-items", onclick: () => shut() }, items));
  const shut = (event) => {
    if (!node.open) return;
    event?.stopPropagation();
    node.open = false;
    summary.focus();
  };
  // The canvas keeps its clicks to itself, but not that a pointer went down.
  const elsewhere = ({ target }) => !node.contains(target) && (node.open = false);
  node.addEventListener("toggle", () => {
    if (node.open) addEventListener("pointerdown", elsewhere, true);
    else removeEventListener("pointerdown", elsewhere, true);
  });
  return node;
}

// What the checks say of what is drawn: counted in the bar, listed below, and marked on the elements.

import { el, fill } from "./element.js";
import { findingList } from "./findings.js";
import { icon } from "./icon.js";
import { counted, t } from "./language.js";
import { problemBox } from "./notice.js";
import { upload } from "./server.js";

export class EditFindings {
  constructor() {
    this.list = el("div", { class: "designer-findings", hidden: true });
    this.button = el("button", {
      type: "button",
      "aria-expanded": "false",
      onclick: () => this.open(),
    });
    this.asked = null;
    this.#say("waiting", t("edit.checking"));
  }

  /** Ask the server about a form of files that are kept nowhere; a question that is out of date is given up. */
  async ask(form, editor) {
    this.asked?.abort();
    this.asked = new AbortController();
    try {
      this.tell(await upload("POST", "finding", form, null, { signal: this.asked.signal }), editor);
    } catch (problem) {
      if (problem.name === "AbortError") return;
      this.#say("warning", t("edit.unchecked"));
      fill(this.list, problemBox(problem));
    }
  }

  tell(found, editor) {
    const errors = found.filter(({ severity }) => severity === "error").length;
    const warnings = found.length - errors;
    const kind = errors ? "failed" : warnings ? "warning" : "success";
    const words = [errors && counted("edit.errors", errors), warnings && counted("edit.warnings", warnings)];
    this.#say(kind, words.filter(Boolean).join(" · ") || t("edit.fine"));
    this.#mark(found, editor);
    const nameOf = (elementId) => editor.find(elementId)?.businessObject.name || elementId;
    const list = findingList(found, (elementId) => editor.reach(elementId), nameOf);
    fill(this.list, found.length === 0 ? el("p", { class: "faint" }, t("findings.none")) : list);
    if (found.length === 0) this.open(false);
  }

  #say(kind, word) {
    this.button.className = `chip designer-verdict badge is-${kind}`;
    fill(this.button, icon(kind), el("span", {}, word));
  }

  #mark(found, editor) {
    const looks = new Map();
    for (const { elementId, severity, text } of found) {
      const name = severity === "error" ? "is-failed" : "is-missing";
      if (elementId === null || looks.get(elementId)?.name === "is-failed") continue;
      looks.set(elementId, { name, html: el("div", { class: `mark ${name}`, title: text }, icon("warning")) });
    }
    editor.mark(looks);
  }

  open(on = this.list.hidden) {
    this.list.hidden = !on;
    this.button.setAttribute("aria-expanded", String(on));
  }
}

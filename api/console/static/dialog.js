// A question before something is done; the browser's own dialog keeps the focus and gives it back.

import { el, fill, unique } from "./element.js";
import { t } from "./language.js";
import { problemBox } from "./notice.js";

/** Tell something that is to be read and closed. */
export function tell({ title, content, size = null, closed = () => {} }) {
  const id = unique("dialog");
  const close = el("button", { type: "button", class: "primary", onclick: () => dialog.close() }, t("close"));
  const dialog = el(
    "dialog",
    { "aria-labelledby": id, class: size, onclose: () => (dialog.remove(), closed()) },
    el("h2", { id }, title),
    el("div", { class: "dialog-content" }, content),
    el("div", { class: "dialog-buttons" }, close),
  );
  document.body.append(dialog);
  dialog.showModal();
  closeWithPage(dialog);
}

/** A dialog belongs to its page: where the browser goes elsewhere it is not left behind. */
function closeWithPage(dialog) {
  const left = () => dialog.close();
  addEventListener("hashchange", left);
  dialog.addEventListener("close", () => removeEventListener("hashchange", left));
}

/**
 * Ask, and do it when that is confirmed. `act` is async; what it is refused with is shown and the dialog stays.
 * Resolves with what `act` returned, or null when it was not done. `changed` is called when something was filled in.
 */
export function ask({ title, content, confirm, act, changed = null, danger = false, wide = false }) {
  return new Promise((resolve) => {
    let result = null;
    const id = unique("dialog");
    const trouble = el("div");
    const close = el("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, t("back"));
    const yes = el("button", { type: "submit", class: danger ? "danger" : "primary" }, confirm);
    const form = el(
      "form",
      { method: "dialog", novalidate: true, onsubmit: (event) => submitted(event), oninput: changed },
      el("h2", { id }, title),
      el("div", { class: "dialog-content" }, content, trouble),
      el("div", { class: "dialog-buttons" }, close, yes),
    );
    const dialog = el("dialog", { "aria-labelledby": id, class: wide ? "wide" : null, onclose: () => closed() }, form);

    async function submitted(event) {
      event.preventDefault();
      if (yes.getAttribute("aria-disabled") === "true") return;
      yes.setAttribute("aria-disabled", "true");
      fill(trouble);
      try {
        result = await act();
        if (result === false) result = null;
        else dialog.close();
      } catch (problem) {
        fill(trouble, problemBox(problem));
        trouble.scrollIntoView({ block: "nearest" });
      } finally {
        yes.removeAttribute("aria-disabled");
      }
    }

    function closed() {
      dialog.remove();
      resolve(result);
    }

    document.body.append(dialog);
    dialog.showModal();
    closeWithPage(dialog);
  });
}

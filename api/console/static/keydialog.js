// Asking for the access key.

import { el } from "./element.js";
import { ask } from "./dialog.js";
import { keep } from "./key.js";
import { t } from "./language.js";
import { problemBox } from "./notice.js";
import { get } from "./server.js";

/** Ask for a key that the server knows; null when none was given. */
export function askForKey(problem) {
  const field = el("input", {
    id: "key",
    type: "password",
    autocomplete: "off",
    spellcheck: "false",
    "aria-describedby": "key-hint",
  });
  return ask({
    title: t("key.title"),
    confirm: t("key.use"),
    content: [
      problem && problemBox(problem),
      el("div", { class: "field" }, el("label", { for: "key" }, t("key.label")), field),
      el("p", { class: "hint", id: "key-hint" }, t("key.kept")),
      el(
        "p",
        { class: "hint" },
        t("key.make"),
        " ",
        el("code", {}, "riverstone key add NAME --scope read --scope run"),
      ),
      el("p", { class: "hint" }, t("key.every")),
    ],
    act: () => tried(field.value.trim()),
  });
}

async function tried(text) {
  if (!/^[!-~]+$/.test(text)) throw new Error(t("key.form"));
  keep(text);
  try {
    await get("client");
  } catch (refusal) {
    // A key that is known but may not read is one all the same: each page tells what it may not.
    if (refusal.status === 403) return true;
    keep(null);
    throw refusal;
  }
  return true;
}

// Trying a decision out: its inputs are filled in, and what it comes to is told.

import { idOf, inputsOf } from "./decisioninputs.js";
import { el, fill, said, unique } from "./element.js";
import { isObject, writeExact } from "./exactjson.js";
import { t } from "./language.js";
import { problemBox } from "./notice.js";
import { post } from "./server.js";
import { ValueForm } from "./valueform.js";

/** The form to try one of these decisions; `mark` is told which rules counted. */
export function trialOf({ root, decisions, deploymentId, mark }) {
  const which = unique("decision");
  const options = decisions.map((each) => el("option", { value: idOf(each) }, each.getAttribute("name") || idOf(each)));
  const chosen = el("select", { id: which, onchange: () => ask() }, options);
  const place = el("div");
  const told = el("div", { role: "status" });
  let values = null;
  const ask = () => {
    values = new ValueForm({ fields: inputsOf(root, chosen.value), label: t("decision.variables") });
    fill(place, values.node);
  };
  const form = el(
    "form",
    { class: "trial", novalidate: true },
    el("h3", {}, t("decision.try")),
    el("div", { class: "field" }, el("label", { for: which }, t("decision.which")), chosen),
    place,
    el("button", { type: "submit", class: "primary" }, t("decision.evaluate")),
    told,
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    mark([]);
    fill(told);
    if (!values.check()) return;
    try {
      const made = await post(`decision/${chosen.value}/evaluate`, { variables: nested(values.values) }, { deploymentId });
      mark(made.matched);
      fill(
        told,
        el("p", {}, t("decision.value"), " ", el("code", {}, said(writeExact(made.value)))),
        [made.violation, ...made.warnings].filter(Boolean).map((why) => el("p", { class: "faint" }, said(why))),
      );
    } catch (problem) {
      fill(told, problemBox(problem));
    }
  });
  ask();
  return form;
}

/** Names with dots as members of objects, which is how a table reads them. */
function nested(values) {
  const found = {};
  for (const [key, value] of Object.entries(values)) {
    const names = key.split(".");
    let here = found;
    for (const name of names.slice(0, -1)) here = here[name] = isObject(here[name]) ? here[name] : {};
    here[names.at(-1)] = value;
  }
  return found;
}

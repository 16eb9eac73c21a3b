// What a process was started with, what it knows now, and what it has put out.

import { el, fill } from "./element.js";
import { readObject, valueTable } from "./jsontext.js";
import { t } from "./language.js";
import { problemBox } from "./notice.js";
import { get } from "./server.js";

export function valuesOf(process) {
  return [
    part("variables", readObject(process.processContent)),
    present(process.processInstanceId),
    process.outputs !== null && part("outputs", readObject(process.outputs), true),
    part("native", readObject(process.nativeOutputs)),
  ];
}

function part(name, values, open = false) {
  const body = el("div", {}, open && valueTable(values, t(name)));
  // Thousands of tasks put out thousands of values: these are drawn for those who open them.
  const draw = () => node.open && body.childElementCount === 0 && fill(body, valueTable(values, t(name)));
  const node = el(
    "details",
    { open: open ? true : null, ontoggle: draw },
    el("summary", {}, t(name), el("span", { class: "faint" }, ` ${Object.keys(values).length}`)),
    body,
  );
  return node;
}

/** The variables as they are now: read when somebody opens them. */
function present(id) {
  const body = el("div");
  const read = async () => {
    try {
      const { variables } = await get(`process/${id}/variables`);
      const known = Object.keys(variables).length > 0;
      fill(body, known ? valueTable(variables, t("variables.now")) : el("p", { class: "faint" }, t("variables.none")));
    } catch (problem) {
      fill(body, problemBox(problem));
    }
  };
  const node = el("details", { ontoggle: () => node.open && read() }, el("summary", {}, t("variables.now")), body);
  return node;
}

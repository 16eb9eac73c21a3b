// The secret outputs of a task in clear, for whoever may read them: each look is written into the audit.

import { ask } from "./dialog.js";
import { el } from "./element.js";
import { icon } from "./icon.js";
import { readObject, valueTable } from "./jsontext.js";
import { t } from "./language.js";
import { MASKED } from "./masked.js";
import { post } from "./server.js";

/** The button that asks for them, where a task has some and the client may. */
export function secretButtons(task, client) {
  const values = [...Object.values(readObject(task.outputs)), ...Object.values(task.saved)];
  if (!client.scopes.includes("secrets") || !values.includes(MASKED)) return [];
  return [el("button", { type: "button", class: "small quiet", onclick: () => show(task) }, icon("key"), t("secrets"))];
}

async function show(task) {
  const found = await ask({
    title: t("secrets"),
    confirm: t("secrets.do"),
    content: el("p", {}, t("secrets.text")),
    act: () => post(`task/${task.taskId}/secrets`),
  });
  if (found === null) return;
  ask({ title: t("secrets"), confirm: t("close"), content: valueTable(found.outputs, t("secrets")), act: async () => true });
}

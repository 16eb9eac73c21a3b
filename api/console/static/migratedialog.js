// Moving a process to another version of its model: what would come of it is shown before anything is moved.

import { ask } from "./dialog.js";
import { el, fill } from "./element.js";
import { t } from "./language.js";
import { problemBox } from "./notice.js";
import { post, put } from "./server.js";
import { VersionChoice } from "./versionchoice.js";

/** Ask to which version; resolves with the process, or null. */
export async function askToMigrate(process) {
  const id = process.processInstanceId;
  const plan = el("div", { class: "stack", "aria-live": "polite" });
  const choice = await VersionChoice.of(process, { label: t("version"), changed: show });

  async function show() {
    try {
      fill(plan, ...choice.shown(await post(`process/${id}/migrate`, choice.body)));
    } catch (problem) {
      fill(plan, problemBox(problem));
    }
  }

  if (choice.count > 0) await choice.choose();
  return ask({
    title: t("migrate.title", { name: process.processName }),
    confirm: t("migrate.do"),
    wide: true,
    content: [el("p", {}, t("migrate.text")), choice.node, plan],
    act: () => put(`process/${id}/migrate`, { ...choice.body, timeout: 10 }),
  });
}

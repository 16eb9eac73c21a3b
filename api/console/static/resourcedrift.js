// What checks have found gone or different, grouped by process and stone, and what becomes of it.

import { ask } from "./dialog.js";
import { el, fill, said } from "./element.js";
import { t } from "./language.js";
import { to } from "./route.js";
import { Look, put } from "./server.js";

const MOST = 20;
const COLUMNS = ["process", "stone", "gone", "different", "actions"];

/** Take what is gone for undone, after a question; whether that was done. */
export async function acceptGone({ processInstanceId, processName }, taskIds) {
  const done = await ask({
    title: t("resource.accept.title"),
    confirm: t("resource.accept.do"),
    danger: true,
    content: el("p", {}, t(taskIds.length > 0 ? "resource.accept.text" : "resource.accept.all", { id: processInstanceId, name: processName })),
    act: () => put(`process/${processInstanceId}/gone`, taskIds.length > 0 ? { taskIds } : {}),
  });
  return done !== null;
}

export class DriftTable {
  /** `address` makes the address of the page with another filter; `changed` is told when something was accepted. */
  constructor({ may, changed, address }) {
    this.may = may;
    this.changed = changed;
    this.address = address;
    this.look = null;
    this.node = el("section", { class: "panel wide-table", tabindex: "0", role: "region", "aria-label": t("resource.drift"), hidden: true });
  }

  ask(query) {
    this.look = new Look("resource/drift", { ...query, limit: MOST });
  }

  async again(signal) {
    const some = await this.look.again(signal);
    if (some) this.#draw(this.look.data);
    return some;
  }

  #draw({ items, cursor }) {
    this.node.hidden = items.length === 0;
    fill(
      this.node,
      el(
        "table",
        { class: "plain-list" },
        el("caption", {}, t("resource.drift")),
        el("thead", {}, el("tr", {}, COLUMNS.map((name) => el("th", { scope: "col" }, t(`resource.${name}`))))),
        el("tbody", {}, items.map((each) => this.#row(each))),
      ),
      cursor !== null && el("p", { class: "faint padded" }, t("resource.drift.more", { count: MOST })),
    );
  }

  #row(each) {
    const { processInstanceId: process, processName, stone, gone, different } = each;
    const number = (count, state) => (count > 0 ? el("a", { href: this.address({ process, stone, state, text: "" }) }, `${count}`) : "0");
    const accept = async () => (await acceptGone(each, [])) && this.changed();
    const cells = [
      [el("a", { href: to("process", process) }, said(processName)), ` #${process}`],
      el("code", {}, said(stone)),
      number(gone, "gone"),
      number(different, "different"),
      this.may && gone > 0 && el("button", { type: "button", class: "small", onclick: accept }, t("resource.accept.process")),
    ];
    return el("tr", {}, cells.map((cell) => el("td", {}, cell)));
  }
}

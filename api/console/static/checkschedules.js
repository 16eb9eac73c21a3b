// When what exists is checked by itself: schedules, what came of their last turns, and another one.

import { ask } from "./dialog.js";
import { el, fill, said, unique } from "./element.js";
import { icon } from "./icon.js";
import { t } from "./language.js";
import { weatherIs } from "./notice.js";
import { to } from "./route.js";
import { Look, post, put, remove } from "./server.js";
import { when } from "./when.js";

const COLUMNS = ["every", "what", "rate", "next", "last", "actions"];

export class CheckSchedules {
  constructor({ may }) {
    this.may = may;
    this.look = new Look("resource/check");
    this.list = el("div");
    this.node = el(
      "section",
      { class: "panel wide-table", tabindex: "0", role: "region", "aria-label": t("checks.title") },
      el(
        "div",
        { class: "panel-head" },
        el("h2", {}, t("checks.title")),
        may && el("button", { type: "button", class: "small end", onclick: () => this.#add() }, icon("plus"), t("checks.add")),
      ),
      this.list,
    );
  }

  async again(signal) {
    const some = await this.look.again(signal);
    if (some) this.#draw(this.look.data);
    return some;
  }

  #draw(schedules) {
    if (schedules.length === 0) return fill(this.list, el("p", { class: "faint padded" }, t("checks.none")));
    return fill(
      this.list,
      el(
        "table",
        { class: "plain-list", "aria-label": t("checks.title") },
        el("thead", {}, el("tr", {}, COLUMNS.map((name) => el("th", { scope: "col" }, t(`checks.${name}`))))),
        el("tbody", {}, schedules.map((each) => this.#row(each))),
      ),
    );
  }

  #row(each) {
    const of = ["stone", "key", "owner"].filter((name) => each[name] !== null).map((name) => `${t(`resource.${name}`)}: ${each[name]}`);
    const last = each.batchId ? el("a", { href: to("batch", each.batchId) }, when(each.lastAt)) : each.lastAt && when(each.lastAt);
    const cells = [
      el("code", {}, said(each.every)),
      of.length > 0 ? said(of.join(", ")) : t("checks.all"),
      `${each.rate}`,
      each.paused ? el("span", { class: "tag" }, t("checks.paused")) : each.nextAt === null ? t("checks.never") : when(each.nextAt),
      [last, each.reason && el("div", { class: "reason" }, said(each.reason))],
      this.may && el("div", { class: "row" }, this.#pausing(each), el("button", { type: "button", class: "small danger-quiet", onclick: () => this.#drop(each) }, icon("trash"), t("remove"))),
    ];
    return el("tr", {}, cells.map((cell) => el("td", {}, cell)));
  }

  #pausing({ scheduleId, nextAt, paused }) {
    if (!paused && nextAt === null) return null;
    const [act, sign] = paused ? ["resume", "play"] : ["pause", "paused"];
    const done = async () => {
      try {
        await put(`resource/check/${scheduleId}/${act}`);
        weatherIs(null);
      } catch (problem) {
        weatherIs(problem);
      }
      await this.again();
    };
    return el("button", { type: "button", class: "small quiet", onclick: done }, icon(sign), t(`checks.${act}`));
  }

  async #add() {
    const every = this.#field("every", { value: "PT6H", hint: true });
    const stone = this.#field("stone", { hint: true });
    const key = this.#field("key", { hint: true });
    const rate = this.#field("rate", { type: "number", value: "5", min: "0.001", max: "10000", step: "any" });
    const act = () => {
      if (rate.input.validity.badInput || rate.input.value === "") throw new Error(t("checks.rate.wrong"));
      const given = { every: every.input.value.trim(), stone: stone.input.value.trim(), key: key.input.value.trim() };
      const filled = Object.fromEntries(Object.entries(given).filter(([name, value]) => value || name === "every"));
      return post("resource/check", { ...filled, rate: rate.input.valueAsNumber });
    };
    const content = el("div", { class: "stack" }, [every, stone, key, rate].map(({ node }) => node));
    if ((await ask({ title: t("checks.add"), confirm: t("checks.do"), content, act: async () => act() })) !== null) await this.again();
  }

  async #drop({ scheduleId, every }) {
    const content = el("p", {}, t("checks.remove.text"), " ", el("code", {}, said(every)));
    const act = () => remove(`resource/check/${scheduleId}`);
    if ((await ask({ title: t("checks.remove"), confirm: t("remove"), danger: true, content, act })) !== null) await this.again();
  }

  #field(name, { type = "text", value = "", hint = false, ...others }) {
    const id = unique("checks");
    const input = el("input", { id, type, value, maxlength: 255, "aria-describedby": hint ? `${id}-hint` : null, ...others });
    const words = hint && el("p", { class: "hint", id: `${id}-hint` }, t(`checks.${name}.hint`));
    return { input, node: el("div", { class: "field" }, el("label", { for: id }, t(`checks.${name}`)), input, words) };
  }
}

// All tasks of one element in one row: how many are in which state.

import { badge } from "./badge.js";
import { el, said } from "./element.js";
import { icon } from "./icon.js";
import { counted, t } from "./language.js";
import { shownState, STATES } from "./state.js";

/** `counts` are of one element; `toggle` is told it when its tasks are to be shown, `point` what the pointer is over. */
export function elementRow({ counts, open, toggle, point }) {
  const [first] = counts;
  const states = new Map();
  for (const alike of counts) states.set(shownState(alike), (states.get(shownState(alike)) ?? 0) + alike.count);
  const shown = STATES.filter((state) => states.has(state));
  const total = counts.reduce((sum, { count }) => sum + count, 0);
  const opener = el(
    "button",
    {
      type: "button",
      class: "opener",
      "aria-expanded": open ? "true" : "false",
      "data-focus": `of ${first.elementId}`,
      onclick: () => toggle(first.elementId),
      onfocus: () => point(first),
      onblur: () => point(null),
    },
    icon(open ? "down" : "right"),
    said(first.name, { class: "said clamp" }),
  );
  return el(
    "tr",
    {
      class: open ? "is-open of-element" : "of-element",
      onmouseenter: () => point(first),
      onmouseleave: () => point(null),
    },
    el(
      "td",
      { class: "is-status" },
      shown.map((state) => badge(state, `${states.get(state)} ${t(`task.${state}`)}`)),
    ),
    el(
      "td",
      { class: "is-task" },
      el("div", { class: "task-name" }, opener, el("span", { class: "sub" }, said(first.elementId))),
    ),
    el("td", { class: "is-stone" }, stoneOf(first)),
    el("td", { class: "is-progress" }),
    el("td", { class: "is-time" }, counted("count", total)),
  );
}

/** The stone that carries a task out. */
export function stoneOf({ stone }) {
  return stone === null ? el("span", { class: "faint" }, t("task.person")) : said(stone, { class: "said clip" });
}

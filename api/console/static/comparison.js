// Two versions of one process side by side, with what was removed, added, changed and moved.

import { tell } from "./dialog.js";
import { Diagram } from "./diagram.js";
import { compare } from "./editor.js";
import { el, fill, said } from "./element.js";
import { t } from "./language.js";

const KINDS = [
  ["removed", "_removed", "failed", [0]],
  ["added", "_added", "success", [1]],
  ["changed", "_changed", "missing", [0, 1]],
  ["moved", "_layoutChanged", "undone", [0, 1]],
];

/** Show both: `before` and `after` are `{ xml, label }`, `moddle` reads them, and `key` is the process that is meant. */
export async function showComparison({ title, before, after, key, moddle }) {
  const sides = [before, after].map((side) => ({ ...side, diagram: new Diagram({ label: side.label }) }));
  const list = el("ul", { class: "diff-list" });
  const panels = sides.map(({ label, diagram }) =>
    el("section", { class: "panel" }, el("div", { class: "panel-head" }, el("h3", {}, label)), diagram.node),
  );
  tell({
    title,
    size: "huge",
    content: [el("div", { class: "diff" }, panels), list],
    closed: () => sides.forEach(({ diagram }) => diagram.close()),
  });
  for (const { xml, diagram } of sides) await diagram.show(xml, key);
  const roots = await Promise.all(sides.map(async ({ xml }) => (await moddle.fromXML(xml)).rootElement));
  const found = compare(...roots);
  const looks = [new Map(), new Map()];
  const items = [];
  for (const [kind, name, colour, on] of KINDS) {
    for (const [id, entry] of Object.entries(found[name])) {
      for (const side of on) if (!looks[side].has(id)) looks[side].set(id, { classes: [`is-${colour}`], badges: [] });
      if (kind === "moved" && found._changed[id]) continue;
      items.push(item(sides, { kind, colour, id, entry }));
    }
  }
  sides.forEach(({ diagram }, side) => diagram.paint(looks[side]));
  fill(list, items.length > 0 ? items : el("li", {}, t("edit.diff.same")));
}

function item(sides, { kind, colour, id, entry }) {
  const reach = () => {
    for (const { diagram } of sides) {
      diagram.reach(id);
      diagram.point(id);
    }
  };
  const name = (entry.model ?? entry).name ?? id;
  return el(
    "li",
    {},
    el("span", { class: `badge is-${colour}` }, t(`edit.diff.${kind}`)),
    el("button", { type: "button", class: "link", onclick: reach }, said(name)),
    el("span", { class: "sub" }, el("code", {}, id), " ", Object.keys(entry.attrs ?? {}).join(", ")),
  );
}

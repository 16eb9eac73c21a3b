// A list that is edited entry by entry: each is opened, moved or taken away, and another one is added.

import { el } from "./element.js";
import { icon } from "./icon.js";
import { t } from "./language.js";

/** The list, if it has entries, and the button that adds one. `question` resolves with an entry, or null for none. */
export function entryList({ entries, line, question, put, add }) {
  const edit = async (place) => {
    const made = await question(entries[place], place);
    if (made !== null) put(entries.toSpliced(place, 1, made));
  };
  const move = (place, by) => put(entries.toSpliced(place, 1).toSpliced(place + by, 0, entries[place]));
  const row = (entry, place) =>
    el(
      "li",
      {},
      el("button", { type: "button", class: "quiet", onclick: () => edit(place) }, line(entry)),
      act("up", "edit.move.up", () => move(place, -1), place === 0),
      act("down", "edit.move.down", () => move(place, 1), place === entries.length - 1),
      remover(() => put(entries.toSpliced(place, 1))),
    );
  return {
    list: entries.length > 0 && el("ul", { class: "designer-list" }, entries.map(row)),
    add: adder(add, () => edit(entries.length)),
  };
}

export function adder(text, onclick) {
  return el("button", { type: "button", class: "small", onclick }, icon("plus"), text);
}

export function remover(onclick) {
  return act("trash", "remove", onclick);
}

/** A small button that is a sign. */
export function act(sign, text, onclick, disabled = false) {
  return el("button", { type: "button", class: "square quiet small", "aria-label": t(text), title: t(text), disabled, onclick }, icon(sign));
}

// What was searched for, such as by a batch, in the words of the page instead of those of the server.

import { statusWord } from "./badge.js";
import { el, said } from "./element.js";
import { asText } from "./exactjson.js";
import { regional, t } from "./language.js";

const WORDS = {
  state: (value) => t(`state.${value}`),
  statuses: (values) => values.map((each) => statusWord("process", each)).join(", "),
  kind: (value) => t(`kinds.${value}`),
  variables: (values) => Object.entries(values).map(([name, value]) => `${name} = ${asText(value)}`).join(", "),
  startedFrom: timeOf,
  startedBefore: timeOf,
  endedFrom: timeOf,
  endedBefore: timeOf,
};

function timeOf(text) {
  return new Date(text).toLocaleString(regional());
}

/** A list of what the found processes have; nothing where all were meant. */
export function searchedFor(where) {
  return el(
    "dl",
    { class: "facts" },
    Object.entries(where).map(([name, value]) =>
      el("div", {}, el("dt", {}, t(`searched.${name}`)), el("dd", {}, said((WORDS[name] ?? asText)(value)))),
    ),
  );
}

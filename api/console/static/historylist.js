// What happened in a process, oldest first: read when somebody opens it, part by part.

import { el, fill, said } from "./element.js";
import { valueTable } from "./jsontext.js";
import { t } from "./language.js";
import { problemBox } from "./notice.js";
import { to } from "./route.js";
import { get } from "./server.js";

const PART = 100;

export function historyList(id) {
  const body = el("tbody");
  const trouble = el("div");
  const more = el("button", { type: "button", class: "small", hidden: true, onclick: () => read() }, t("history.more"));
  const table = el("table", { class: "list history", "aria-label": t("history") }, el("tbody"));
  table.replaceChildren(
    el("thead", {}, el("tr", {}, ["time", "what", "who"].map((name) => el("th", { scope: "col" }, t(`history.${name}`))))),
    body,
  );
  let cursor = null;

  async function read() {
    fill(trouble);
    try {
      const part = await get(`process/${id}/history`, { limit: PART, cursor });
      body.append(...part.items.map(row));
      cursor = part.cursor;
      more.hidden = cursor === null;
    } catch (problem) {
      fill(trouble, problemBox(problem));
    }
  }

  function again() {
    cursor = null;
    body.replaceChildren();
    return read();
  }

  return el(
    "details",
    { ontoggle: (event) => event.target.open && again() },
    el("summary", {}, t("history")),
    el("div", {}, table, trouble, el("p", { class: "center" }, more)),
  );
}

function row(entry) {
  return el(
    "tr",
    {},
    el("td", { class: "is-started" }, entry.time),
    el("td", {}, what(entry)),
    el("td", {}, entry.who === null ? el("span", { class: "faint" }, "–") : said(entry.who === "local" ? t("who.local") : entry.who)),
  );
}

function what(entry) {
  const { kind, action, attempt, name, elementId, reason, status, undo, processInstanceId, retained, shortened, assignee } = entry;
  const word = kind === "action" ? t(`action.${action}`) : t(`history.${kind}`, { attempt: attempt ?? "" });
  const where = name ?? elementId;
  const values = entry.variables ?? (kind === "attempt" ? entry.outputs : null);
  return el(
    "div",
    { class: "stack" },
    el(
      "div",
      {},
      el("strong", {}, word),
      undo !== null && [" ", el("a", { href: to("process", processInstanceId) }, t(`kind.${undo}`))],
      where !== null && [" ", said(where)],
      assignee && [" → ", said(assignee)],
      status !== null && [" ", el("span", { class: "tag" }, status)],
      retained.length > 0 && ` ${t("history.retained", { tasks: retained.join(", ") })}`,
    ),
    reason !== null && el("div", { class: "reason" }, said(reason)),
    entry.parameters && Object.keys(entry.parameters).length > 0 &&
      el("details", {}, el("summary", {}, t("parameters")), valueTable(entry.parameters, t("parameters"))),
    values !== null && Object.keys(values).length > 0 && valueTable(values, t(`history.${kind}`, { attempt: "" })),
    shortened && el("div", { class: "faint" }, t("history.shortened")),
  );
}

// Batches: how far each is, and what came of its processes.

import { ask } from "./dialog.js";
import { badge } from "./badge.js";
import { el, fill, Rows, said } from "./element.js";
import { t } from "./language.js";
import { problemBox, weatherIs } from "./notice.js";
import { to } from "./route.js";
import { searchedFor } from "./searchedfor.js";
import { get, Look, put } from "./server.js";
import { Watch } from "./watch.js";

const COLOURS = { running: "running", paused: "paused", stopped: "canceled", ended: "success" };
const COLUMNS = ["state", "action", "progress", "refused", "rate", "client", "created"];

function header(names) {
  return el("thead", {}, el("tr", {}, names.map((name) => el("th", { scope: "col" }, t(`batch.${name}`)))));
}

function cells(batch, name) {
  return [
    el("td", {}, badge(COLOURS[batch.state] ?? "running", t(`batch.state.${batch.state}`))),
    el("td", {}, name),
    el("td", {}, el("progress", { max: batch.total, value: batch.done + batch.refused }), ` ${batch.done}/${batch.total}`),
    labelled("refused", `${batch.refused}`),
    labelled("rate", batch.rate === null ? null : `${batch.rate}`),
    labelled("client", batch.client && said(batch.client)),
    labelled("created", new Date(batch.createdAt).toLocaleString()),
  ];
}

/** A cell that would say nothing on a phone, where rows are cards without a head. */
function labelled(name, value) {
  return el("td", { "data-label": t(`batch.${name}`) }, value);
}

/** All batches, newest first. */
export function batchesPage({ main, query, titled }) {
  titled(t("nav.batches"));
  const body = el("tbody");
  const trouble = el("div");
  const nothing = el("p", { class: "nothing", hidden: true }, t("batch.none"));
  const older = el("a", { class: "button", hidden: true }, t("older"));
  const rows = new Rows(body, (batch) => batch.batchId, (batch) =>
    el(
      "tr",
      {},
      cells(batch, el("a", { href: to("batch", batch.batchId), "data-focus": "name" }, t(`batch.action.${batch.action}`))),
    ),
  );
  const table = el("table", { class: "list", "aria-label": t("nav.batches") }, header(COLUMNS), body);
  const look = new Look("batch", { limit: 50, cursor: query.get("cursor") });
  fill(
    main,
    el("div", { class: "page-head" }, el("h1", { tabindex: "-1" }, t("nav.batches"))),
    el("p", { class: "hint" }, t("batch.how")),
    trouble,
    table,
    nothing,
    el("nav", { class: "pages", "aria-label": t("parts") }, older),
  );
  const watch = new Watch(refresh, { interval: () => 2000, trouble: troubled(trouble) });

  async function refresh(signal) {
    if (!(await look.again(signal))) return;
    const { items, cursor } = look.data;
    rows.update(items);
    table.hidden = items.length === 0;
    nothing.hidden = items.length !== 0;
    older.hidden = cursor === null;
    older.href = to("batches", null, { cursor });
  }

  return { close: () => watch.stop() };
}

/** One batch, what it was asked for, and its results. */
export function batchPage({ main, id, query, client, titled }) {
  const may = client.scopes.length === 0 || client.scopes.includes("run");
  titled(t("batch"));
  const facts = el("div", { class: "stack" });
  const results = el("tbody");
  const trouble = el("div");
  const result = query.get("result") ?? "";
  const cursor = query.get("cursor");
  const older = el("a", { class: "button", hidden: true }, t("batch.further"));
  const look = new Look(`batch/${id}`, {});
  fill(
    main,
    el("div", { class: "page-head" }, el("h1", { tabindex: "-1" }, t("batch"))),
    trouble,
    facts,
    el(
      "div",
      { class: "tabs", role: "group", "aria-label": t("batch.results") },
      ["", "refused", "done", "waiting"].map((key) =>
        el(
          "a",
          { class: "button tab", href: to("batch", id, { result: key }), "aria-current": key === result ? "true" : null },
          t(`batch.result.${key || "all"}`),
        ),
      ),
    ),
    el("table", { class: "list", "aria-label": t("batch.results") }, header(["process", "result", "reason"]), results),
    el("nav", { class: "pages", "aria-label": t("parts") }, older),
  );
  const watch = new Watch(refresh, { interval: () => 1500, trouble: troubled(trouble) });

  async function refresh(signal) {
    if (!(await look.again(signal))) return;
    draw(look.data);
    const page = await get(`batch/${id}/process`, { result, cursor, limit: 100 }, signal);
    fill(
      results,
      page.items.map((item) =>
        el(
          "tr",
          {},
          el("td", {}, el("a", { href: to("process", item.processInstanceId) }, `#${item.processInstanceId}`)),
          el("td", {}, t(`batch.result.${item.result}`)),
          el("td", {}, said(item.reason ?? "")),
        ),
      ),
    );
    older.hidden = page.cursor === null;
    older.href = to("batch", id, { result, cursor: page.cursor });
  }

  function draw(batch) {
    fill(
      facts,
      el("table", { class: "list" }, header(COLUMNS), el("tbody", {}, el("tr", {}, cells(batch, t(`batch.action.${batch.action}`))))),
      el("section", { "aria-label": t("batch.where") }, el("h2", {}, t("batch.where")), searchedFor(batch.where)),
      may &&
        el(
          "p",
          { class: "row" },
          batch.state === "running" && steer("pause"),
          batch.state === "paused" && steer("resume"),
          ["running", "paused"].includes(batch.state) && steer("stop"),
        ),
    );
  }

  function steer(what) {
    return el("button", { type: "button", "data-focus": what, onclick: () => steered(what) }, t(`batch.${what}`));
  }

  async function steered(what) {
    const act = () => put(`batch/${id}/${what}`, what === "resume" ? {} : undefined);
    try {
      if (what === "stop")
        await ask({ title: t("batch.stop"), confirm: t("batch.stop"), danger: true, content: el("p", {}, t("batch.stop.text")), act });
      else await act();
      await refresh();
    } catch (problem) {
      fill(trouble, problemBox(problem));
    }
  }

  return { close: () => watch.stop() };
}

function troubled(place) {
  return (problem) => {
    weatherIs(problem);
    fill(place, problem && problem.passing !== true ? problemBox(problem) : null);
  };
}

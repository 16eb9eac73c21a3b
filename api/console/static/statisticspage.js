// What the last runs came to: failures, retries and durations by version, stone and element.

import { el, fill, said } from "./element.js";
import { t } from "./language.js";
import { lasting } from "./moment.js";
import { problemBox, weatherIs } from "./notice.js";
import { rename, to } from "./route.js";
import { get } from "./server.js";

const DAYS = ["1", "7", "30", ""];
const FIGURES = ["runs", "open", "failed", "retries", "median", "slow"];

export function statisticsPage({ main, query, titled }) {
  const wanted = { days: query.get("days") ?? "7", key: query.get("key") ?? "" };
  const trouble = el("div");
  const told = el("p", { class: "faint", role: "status" });
  const lists = el("div", { class: "stack" });
  const change = (name) => (event) => {
    wanted[name] = event.target.value.trim();
    load();
  };
  const days = el(
    "select",
    { onchange: change("days") },
    DAYS.map((each) => el("option", { value: each, selected: each === wanted.days }, t(`statistics.days.${each || "all"}`))),
  );
  const key = el("input", { type: "text", value: wanted.key, autocomplete: "off", onchange: change("key") });

  titled(t("nav.statistics"));
  fill(
    main,
    el("div", { class: "page-head" }, el("h1", { tabindex: "-1" }, t("nav.statistics")), told),
    el(
      "div",
      { class: "filters", role: "search", "aria-label": t("nav.statistics") },
      el("label", { class: "inline" }, t("statistics.begun"), days),
      el("label", { class: "inline" }, t("column.key"), key),
    ),
    trouble,
    lists,
  );
  load();

  async function load() {
    rename(to("statistics", null, wanted));
    try {
      const found = await get("statistics", { since: since(wanted.days), key: wanted.key });
      weatherIs(null);
      fill(trouble);
      const oldest = { count: found.runs, since: found.since ?? "–" };
      told.textContent = found.runs === 0 ? t("statistics.none") : t(found.complete ? "statistics.all" : "statistics.some", oldest);
      fill(lists, found.runs > 0 && [list("models", found.models), list("stones", found.stones), list("elements", found.elements)]);
    } catch (problem) {
      weatherIs(problem);
      fill(trouble, problemBox(problem));
    }
  }

  function list(name, rows) {
    if (rows.length === 0) return null;
    const head = ["name", ...FIGURES].map((column) => el("th", { scope: "col" }, t(`statistics.${column}`)));
    return el(
      "section",
      { class: "panel" },
      el("div", { class: "panel-head" }, el("h2", {}, t(`statistics.${name}`))),
      el(
        "div",
        { class: "wide-table", tabindex: "0", role: "region", "aria-label": t(`statistics.${name}`) },
        el("table", { class: "plain-list statistics" }, el("thead", {}, el("tr", {}, head)), el("tbody", {}, rows.map(row))),
      ),
    );
  }
}

function row(figures) {
  const { runs, open, failed, retries, median, slow } = figures;
  const share = runs > 0 ? Math.round((100 * failed) / runs) : 0;
  const where = { key: figures.key ?? "", stone: figures.key === null ? figures.stone : "", state: "failed" };
  const failures = failed > 0 && [el("a", { href: to("processes", null, where) }, `${failed}`), ` (${share} %)`];
  const cells = [`${runs}`, open > 0 ? `${open}` : "–", failures || "–", retries > 0 ? `${retries}` : "–", length(median), length(slow)];
  return el("tr", {}, el("td", {}, name(figures)), cells.map((cell) => el("td", { class: "number" }, cell)));
}

function name({ key, version, elementId, name: drawn, stone }) {
  if (elementId !== null) return [said(drawn || elementId), el("span", { class: "sub" }, said(key), stone && [" · ", said(stone)])];
  if (key === null) return said(stone);
  return [el("a", { href: to("processes", null, { key }) }, said(key)), " ", el("span", { class: "sub" }, version > 0 ? `v${version}` : t("trial"))];
}

function length(milliseconds) {
  if (milliseconds === null) return "–";
  return milliseconds < 1000 ? t("unit.ms", { count: milliseconds }) : lasting(Math.round(milliseconds / 1000));
}

/** So many days ago, as the server reads times. */
function since(days) {
  if (days === "") return null;
  const at = new Date(Date.now() - Number(days) * 86_400_000);
  const two = (number) => String(number).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}:00`;
}

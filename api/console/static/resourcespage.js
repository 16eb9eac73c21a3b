// What exists by the ledger, over all processes: searched, counted by state, checked, and taken away as a file.

import { badge } from "./badge.js";
import { CheckSchedules } from "./checkschedules.js";
import { ask } from "./dialog.js";
import { el, fill, Rows, said } from "./element.js";
import { asText } from "./exactjson.js";
import { icon } from "./icon.js";
import { counted, t } from "./language.js";
import { ago } from "./moment.js";
import { problemBox, toast, weatherIs } from "./notice.js";
import { acceptGone, DriftTable } from "./resourcedrift.js";
import { go, rename, to } from "./route.js";
import { getText, Look, post, put } from "./server.js";
import { saveText } from "./sources.js";
import { Watch } from "./watch.js";
import { when } from "./when.js";

export const COLOURS = { kept: "success", left: "failed", retained: "retained", gone: "failed", different: "warning", unknown: "missing" };
const STATES = ["", ...Object.keys(COLOURS)];
const LIMIT = 50;
/** Filters beside the text and the state, with the names that the server has for them. */
const MORE = { stone: "stone", process: "processInstanceId", key: "key", owner: "owner" };
const COLUMNS = ["state", "stone", "outputs", "process", "owner", "since", "actions"];
const MOST_OUTPUTS = 8;

export function resourcesPage({ main, query, client, titled }) {
  const may = client.scopes.length === 0 || client.scopes.includes("run");
  const wanted = Object.fromEntries(["text", "state", ...Object.keys(MORE)].map((name) => [name, query.get(name) ?? ""]));
  let cursor = query.get("cursor");
  let watch = null;
  let look = null;
  let counts = null;
  let typing = null;

  const count = el("p", { class: "faint", role: "status" });
  const trouble = el("div");
  const tabs = el("div", { class: "tabs", role: "group", "aria-label": t("resource.state") });
  const body = el("tbody");
  const rows = new Rows(body, (each) => each.taskId, row);
  const nothing = el("div", { class: "nothing", hidden: true });
  const older = el("a", { class: "button", href: "#", hidden: true }, t("older"), icon("right"));
  const first = el("a", { class: "button quiet", href: "#", hidden: true }, icon("left"), t("newest"));
  const drift = new DriftTable({ may, changed: () => watch.now(), address: (more) => address(more) });
  const schedules = new CheckSchedules({ may });
  const table = el(
    "table",
    { class: "list resources", "aria-label": t("nav.resources"), hidden: true },
    el("thead", {}, el("tr", {}, COLUMNS.map((name) => el("th", { scope: "col", class: `is-${name}` }, t(`resource.${name}`))))),
    body,
  );
  const search = el("input", {
    type: "search",
    id: "search",
    maxlength: 255,
    "aria-label": t("resource.search"),
    placeholder: t("resource.search"),
    value: wanted.text,
    oninput: () => {
      clearTimeout(typing);
      typing = setTimeout(() => changed("text", search.value), 250);
    },
  });

  titled(t("nav.resources"));
  fill(
    main,
    el(
      "div",
      { class: "page-head" },
      el("h1", { tabindex: "-1" }, t("nav.resources")),
      count,
      el(
        "div",
        { class: "actions" },
        may && button("again", "resource.check", check),
        button("download", "CSV", () => save("csv")),
        button("download", "JSON", () => save("json")),
      ),
    ),
    el(
      "div",
      { class: "filters", role: "search", "aria-label": t("nav.resources") },
      el("div", { class: "search" }, icon("search"), search),
      Object.keys(MORE).map((name) =>
        el(
          "label",
          { class: "inline" },
          t(`resource.${name}`),
          el("input", { value: wanted[name], maxlength: 255, size: 12, onchange: (event) => changed(name, event.target.value.trim()) }),
        ),
      ),
    ),
    tabs,
    trouble,
    drift.node,
    table,
    nothing,
    el("nav", { class: "pages", "aria-label": t("parts") }, first, older),
    schedules.node,
  );
  begin();

  function button(sign, text, act) {
    return el("button", { type: "button", onclick: act }, icon(sign), text.includes(".") ? t(text) : text);
  }

  function row(each) {
    const outputs = Object.entries(each.outputs);
    const told = outputs.slice(0, MOST_OUTPUTS).map(([name, value]) => el("div", {}, el("span", { class: "faint" }, `${name} `), said(asText(value))));
    const cells = {
      state: [badge(COLOURS[each.state] ?? "missing", t(`resource.state.${each.state}`)), each.reason && el("div", { class: "reason clamp" }, said(each.reason)), each.checkedAt && el("div", { class: "sub" }, t("resource.checked", { time: ago(each.checkedAt) }))],
      stone: [el("code", {}, said(each.stone)), el("div", { class: "sub" }, said(each.name))],
      outputs: [told, outputs.length > MOST_OUTPUTS && el("div", { class: "sub" }, t("resource.outputs.more", { count: outputs.length - MOST_OUTPUTS }))],
      process: [el("a", { href: to("process", each.processInstanceId), "data-focus": "process" }, said(each.processName)), el("div", { class: "sub" }, `#${each.processInstanceId} · `, said(each.key))],
      owner: each.owner && said(each.owner),
      since: [when(each.sinceAt), el("div", { class: "sub", "data-ago": each.sinceAt }, ago(each.sinceAt))],
      actions: may && each.state === "gone" && el("button", { type: "button", class: "small", "data-focus": "gone", onclick: () => accept(each) }, t("resource.accept")),
    };
    return el("tr", {}, COLUMNS.map((name) => el("td", { class: `is-${name}` }, cells[name])));
  }

  async function accept(each) {
    if (await acceptGone(each, [each.taskId])) await watch.now();
  }

  function address(more = {}) {
    return to("resources", null, { ...wanted, ...more });
  }

  /** What is asked for, in the words of the server; counts and drift do not take all of it. */
  function asked(...names) {
    const filters = Object.fromEntries(Object.entries(MORE).map(([name, outside]) => [outside, wanted[name]]));
    return { ...filters, ...Object.fromEntries(names.map((name) => [name, wanted[name].trim()])) };
  }

  function begin() {
    watch?.stop();
    rename(address({ cursor }));
    look = new Look("resource", { ...asked("text", "state"), limit: LIMIT, cursor });
    counts = new Look("resource/count", asked());
    drift.ask(asked());
    drawTabs();
    watch = new Watch(refresh, { interval: () => (wanted.text ? 10_000 : 4000), trouble: troubled });
  }

  async function refresh(signal) {
    const [some, counted] = await Promise.all([look.again(signal), counts.again(signal), drift.again(signal), schedules.again(signal)]);
    if (some) show(look.data);
    if (counted) drawTabs();
    for (const node of body.querySelectorAll("[data-ago]")) node.textContent = ago(node.dataset.ago);
  }

  function show({ items, cursor: next }) {
    rows.update(items);
    table.hidden = items.length === 0;
    nothing.hidden = items.length !== 0;
    const narrowed = Object.values(wanted).some(Boolean) || cursor !== null;
    // Of many only a part is searched at once.
    const text = next !== null ? "resource.none.yet" : narrowed ? "resource.none.filtered" : "resource.none";
    fill(nothing, el("p", {}, t(text)), narrowed && el("a", { class: "button", href: to("resources") }, t("filter.clear")));
    older.hidden = next === null;
    older.href = address({ cursor: next });
    first.hidden = cursor === null;
    first.href = address();
    count.textContent = items.length === 0 ? t("found.none") : t(next === null ? "found" : "found.more", { count: items.length });
  }

  function drawTabs() {
    const known = {};
    for (const { state, count: some } of counts.data ?? []) known[state] = (known[state] ?? 0) + some;
    const number = (state) => (wanted.text ? 0 : (known[state] ?? 0));
    fill(
      tabs,
      STATES.map((state) =>
        el(
          "button",
          {
            type: "button",
            class: `tab${["gone", "different", "left"].includes(state) && number(state) > 0 ? " pressing" : ""}`,
            "aria-pressed": state === wanted.state ? "true" : "false",
            "data-focus": `tab-${state}`,
            onclick: () => changed("state", state),
          },
          t(`resource.state.${state || "all"}`),
          number(state) > 0 && el("span", { class: "number" }, `${number(state)}`),
        ),
      ),
    );
  }

  function changed(name, value) {
    wanted[name] = value;
    cursor = null;
    begin();
  }

  /** One process is asked at once; many by a batch, which tells how far it is. */
  async function check() {
    const { process, key, stone } = wanted;
    // More would be asked than what is seen; one process has one owner.
    if (wanted.text || wanted.state || (wanted.owner && !process)) {
      toast(t("resource.check.filtered"));
      return;
    }
    const content = el("p", {}, t(process ? "resource.check.one" : "resource.check.many"));
    const act = () => (process ? put(`process/${process}/check`) : post("batch", { action: "check", rate: 5 }, { key, stone, kind: "start" }));
    const done = await ask({ title: t("resource.check"), confirm: t("resource.check"), content, act });
    if (done === null) return;
    if (process) {
      toast(counted("resource.asked", done.length));
      await watch.now();
    } else go(to("batch", done.batchId));
  }

  async function save(kind) {
    fill(trouble);
    try {
      const text = await getText(`resource/${kind}`, asked("text", "state"));
      // Without the mark, spreadsheets take Chinese for something else.
      saveText(kind === "csv" ? `\uFEFF${text}` : text, `resources.${kind}`, kind === "csv" ? "text/csv" : "application/json");
    } catch (problem) {
      fill(trouble, problemBox(problem));
    }
  }

  function troubled(problem) {
    weatherIs(problem);
    fill(trouble, problem && problem.passing !== true ? problemBox(problem) : null);
  }

  return {
    close() {
      watch.stop();
      clearTimeout(typing);
    },
  };
}

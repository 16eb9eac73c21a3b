// The list of processes: searched, live, one part at a time.

import { processBadge } from "./badge.js";
import { askForAll, groupTable } from "./batchdialog.js";
import { el, fill, heard, Rows, said } from "./element.js";
import { tell } from "./dialog.js";
import { icon } from "./icon.js";
import { t } from "./language.js";
import { ago, lasting, seconds, time } from "./moment.js";
import { announce, problemBox, weatherIs } from "./notice.js";
import { go, rename, to } from "./route.js";
import { get, Look } from "./server.js";
import { moves } from "./state.js";
import { Watch } from "./watch.js";

const LIMIT = 50;
const TABS = ["", "attention", "person", "event", "stone", "suspended", "quota", "running", "success", "failed", "canceled", "undone"];
const UNDONE = ["rollback.success", "cancel.success", "delete.success"];
const MOST_COUNTED = 1000;
/** Filters for those who look for something particular, with the names that the server has for them. */
const MORE = { error: "error", stone: "stone", element: "element", business: "businessKey", variable: "variable" };
const SORTS = ["id", "started", "ended"];

export function processesPage({ main, query, client, titled }) {
  const mayRun = client.scopes.length === 0 || client.scopes.includes("run");
  const wanted = {
    text: query.get("text") ?? "",
    state: query.get("state") ?? "",
    kind: query.get("kind") ?? "start",
    key: query.get("key") ?? "",
    from: query.get("from") ?? "",
    until: query.get("until") ?? "",
    sort: SORTS.includes(query.get("sort")) ? query.get("sort") : "id",
    ...Object.fromEntries(Object.keys(MORE).map((name) => [name, query.get(name) ?? ""])),
  };
  let cursor = query.get("cursor");
  let watch = null;
  let look = null;
  let counts = null;
  let newest = null;

  const count = el("p", { class: "faint", role: "status" });
  const body = el("tbody");
  const rows = new Rows(body, (item) => item.processInstanceId, row);
  const trouble = el("div");
  const manyPlace = el("div", { class: "row" });
  const tabs = el("div", { class: "tabs", role: "group", "aria-label": t("column.status") });
  const nothing = el("div", { class: "nothing", hidden: true });
  const older = el("a", { class: "button", href: "#" }, t("older"), icon("right"));
  const first = el("a", { class: "button quiet", href: "#" }, icon("left"), t("newest"));
  const table = el(
    "table",
    { class: "list processes", "aria-label": t("nav.processes") },
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        ["status", "name", "key", "id", "started", "lasted"].map((name) =>
          el("th", { scope: "col", class: `is-${name}` }, t(`column.${name}`)),
        ),
      ),
    ),
    body,
  );

  function row(item) {
    const link = el(
      "a",
      { href: to("process", item.processInstanceId), "data-focus": "name" },
      said(item.processName, { class: "said clamp" }),
    );
    return el(
      "tr",
      {},
      el("td", { class: "is-status" }, processBadge(item)),
      el(
        "td",
        { class: "is-name" },
        el(
          "div",
          { class: "name" },
          link,
          item.kind !== "start" && el("span", { class: "tag" }, t(`kind.${item.kind}`)),
          item.mock && el("span", { class: "tag" }, t("flag.mock")),
          item.debug && el("span", { class: "tag" }, t("flag.debug")),
        ),
        reasonOf(item) && el("span", { class: "reason clamp" }, heard(`${t("reason")}: `), said(reasonOf(item))),
      ),
      el("td", { class: "is-key" }, said(item.key, { class: "said clip" })),
      el("td", { class: "is-id" }, item.processInstanceId),
      el(
        "td",
        { class: "is-started" },
        time(item.startedAt, item.startTime),
        el("span", { class: "sub", "data-ago": item.startedAt }, ago(item.startedAt)),
      ),
      el("td", { class: "is-lasted" }, lasted(item)),
    );
  }

  function lasted(item) {
    const node = el("span", {}, lasting(seconds(item.startTime, item.endTime)));
    if (item.endTime === null) node.dataset.since = item.startTime;
    return node;
  }

  function address(more = {}) {
    const { kind, sort, ...others } = wanted;
    const unsaid = { kind: kind === "start" ? "" : kind, sort: sort === "id" ? "" : sort };
    return to("processes", null, { ...others, ...unsaid, ...more });
  }

  function begin() {
    watch?.stop();
    rename(address({ cursor }));
    fill(manyPlace, manyButtons());
    look = new Look("process/search", { limit: LIMIT, cursor, sort: wanted.sort, ...searched() });
    counts = new Look("process/count", { kind: wanted.kind === "all" ? null : wanted.kind, key: wanted.key });
    watch = new Watch(refresh, { interval: () => (look.data?.items.some(moves) ? 1500 : 4000), trouble: troubled });
  }

  /** What is searched for, in the words of the server. */
  function searched() {
    return {
      text: wanted.text.trim().slice(0, 255),
      state: wanted.state === "undone" ? null : wanted.state,
      status: wanted.state === "undone" ? UNDONE : null,
      kind: wanted.kind === "all" ? null : wanted.kind,
      key: wanted.key,
      startedFrom: wanted.from ? `${wanted.from} 00:00:00` : null,
      startedBefore: wanted.until ? `${wanted.until} 23:59:59` : null,
      ...Object.fromEntries(Object.entries(MORE).map(([name, outside]) => [outside, wanted[name].trim()])),
    };
  }

  /** What can be done with all that is found: to know why they failed, and to act upon them together. */
  function manyButtons() {
    const some = narrowed() || wanted.text || wanted.state || wanted.key || wanted.from || wanted.until;
    const told = ["attention", "failed", "undone"].includes(wanted.state) || wanted.error;
    return [
      told && el("button", { type: "button", onclick: () => tellReasons() }, t("reasons")),
      some && mayRun && el("button", { type: "button", onclick: () => actUponAll() }, t("batch.for.all")),
    ];
  }

  async function tellReasons() {
    try {
      const found = await get("process/reason", searched());
      tell({ title: t("reasons"), size: "wide", content: found.groups.length > 0 ? groupTable(found.groups) : el("p", {}, t("reasons.none")) });
    } catch (problem) {
      troubled(problem);
    }
  }

  async function actUponAll() {
    const started = await askForAll(searched());
    if (started !== null) go(to("batch", started.batchId));
  }

  async function refresh(signal) {
    const [some, counted] = await Promise.all([look.again(signal), counts.again(signal)]);
    if (some) show(look.data);
    if (counted) drawTabs();
    tick();
  }

  function show({ items, cursor: next, insideWordsFrom: inside }) {
    rows.update(items);
    table.hidden = items.length === 0;
    nothing.hidden = items.length !== 0;
    fill(nothing, ...emptiness());
    older.hidden = next === null;
    older.href = address({ cursor: next });
    first.hidden = cursor === null;
    first.href = address();
    const found =
      items.length === 0 ? t("found.none") : t(next === null ? "found" : "found.more", { count: items.length });
    const text = inside === null ? found : `${found}. ${t("found.inside", { id: inside })}`;
    if (count.textContent !== text) count.textContent = text;
    const top = items[0]?.processInstanceId ?? null;
    if (newest !== null && top !== null && top !== newest && cursor === null)
      announce(t("found.new", { name: items[0].processName }));
    newest = top;
  }

  function drawTabs() {
    // What is counted is narrowed down by nothing that is typed.
    const known = wanted.text || wanted.from || wanted.until || narrowed() ? {} : (counts?.data ?? {});
    fill(
      tabs,
      TABS.map((key) => {
        const count = known[key];
        return el(
          "button",
          {
            type: "button",
            class: `tab${key === "attention" && count > 0 ? " pressing" : ""}`,
            "aria-pressed": key === wanted.state ? "true" : "false",
            "data-focus": `tab-${key}`,
            onclick: () => changed("state", key),
          },
          t(`state.${key || "all"}`),
          count > 0 && el("span", { class: "number" }, count < MOST_COUNTED ? `${count}` : `${MOST_COUNTED}+`),
        );
      }),
    );
  }

  function narrowed() {
    return Object.keys(MORE).some((name) => wanted[name]);
  }

  /** Of whom processes are shown: those of others, or of nobody, may be what is looked for. */
  function owned() {
    return client.owner !== null && el("p", { class: "hint" }, t("key.owned", { owner: client.owner }));
  }

  function emptiness() {
    const filtered = narrowed() || wanted.text || wanted.state || wanted.key || wanted.from || wanted.until || wanted.kind !== "start";
    if (filtered || cursor)
      return [
        el("p", {}, t("found.none.filtered")),
        owned(),
        el("a", { href: to("processes"), class: "button" }, t("filter.clear")),
      ];
    return [
      el("p", { class: "large" }, t("empty.processes")),
      el("p", {}, t("empty.processes.hint")),
      owned(),
      el(
        "p",
        { class: "row" },
        el("a", { class: "button", href: to("models") }, t("nav.models")),
        mayRun && el("a", { class: "button primary", href: to("start") }, t("nav.start")),
      ),
    ];
  }

  function tick() {
    for (const node of body.querySelectorAll("[data-since]"))
      node.textContent = lasting(seconds(node.dataset.since, null));
    for (const node of body.querySelectorAll("[data-ago]")) node.textContent = ago(node.dataset.ago);
  }

  function troubled(problem) {
    weatherIs(problem);
    fill(trouble, problem && problem.passing !== true ? problemBox(problem) : null);
  }

  function changed(name, value) {
    wanted[name] = value;
    cursor = null;
    newest = null;
    drawTabs();
    begin();
  }

  let typing = null;
  const search = el("input", {
    type: "search",
    id: "search",
    placeholder: t("search.hint"),
    "aria-label": t("search"),
    value: wanted.text,
    oninput: () => {
      clearTimeout(typing);
      typing = setTimeout(() => changed("text", search.value), 250);
    },
  });
  const kinds = ["start", "rewind", "rollback", "cancel", "delete", "all"].map((key) => [key, t(`kinds.${key}`)]);

  fill(
    main,
    el("div", { class: "page-head" }, el("h1", { tabindex: "-1" }, t("nav.processes")), count),
    el(
      "div",
      { class: "filters", role: "search", "aria-label": t("nav.processes") },
      el("div", { class: "search" }, icon("search"), search),
      select("kind", t("column.kind"), kinds),
      wanted.key &&
        el(
          "a",
          { class: "chip", href: address({ key: "" }), "aria-label": t("filter.remove", { name: wanted.key }) },
          `${t("column.key")}: `,
          said(wanted.key),
          icon("failed"),
        ),
      el(
        "label",
        { class: "inline" },
        t("filter.from"),
        el("input", { type: "date", value: wanted.from, onchange: (event) => changed("from", event.target.value) }),
      ),
      el(
        "label",
        { class: "inline" },
        t("filter.until"),
        el("input", { type: "date", value: wanted.until, onchange: (event) => changed("until", event.target.value) }),
      ),
      select("sort", t("sort"), SORTS.map((key) => [key, t(`sort.${key}`)])),
    ),
    el(
      "details",
      { class: "more-filters", open: narrowed() ? true : null },
      el("summary", {}, t("filter.more")),
      el("div", { class: "filters" }, Object.keys(MORE).map(field)),
    ),
    tabs,
    manyPlace,
    trouble,
    table,
    nothing,
    el("nav", { class: "pages", "aria-label": t("parts") }, first, older),
  );
  older.hidden = first.hidden = table.hidden = true;
  titled(t("nav.processes"));
  const clock = setInterval(tick, 1000);
  drawTabs();
  begin();

  function field(name) {
    return el(
      "label",
      { class: "inline" },
      t(`filter.${name}`),
      el("input", {
        value: wanted[name],
        placeholder: name === "variable" ? t("filter.variable.hint") : null,
        onchange: (event) => changed(name, event.target.value),
      }),
    );
  }

  function select(name, label, options) {
    const known = options.some(([key]) => key === wanted[name]);
    const all = known ? options : [...options, [wanted[name], wanted[name]]];
    return el(
      "label",
      { class: "inline" },
      label,
      el(
        "select",
        { onchange: (event) => changed(name, event.target.value) },
        all.map(([key, text]) => el("option", { value: key, selected: key === wanted[name] }, text)),
      ),
    );
  }

  return {
    close() {
      watch.stop();
      clearInterval(clock);
      clearTimeout(typing);
    },
  };
}

/** Why it stands still, or has failed. */
function reasonOf({ suspended, failure, reason }) {
  return suspended?.reason ?? failure ?? reason;
}

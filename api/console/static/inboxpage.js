// The inbox: the tasks of people that there are for whoever looks, mine, those of my groups, those that nobody has, or
// all that may be seen.

import { el, fill, refill, Rows, said } from "./element.js";
import { icon } from "./icon.js";
import { counted, t } from "./language.js";
import { problemBox, weatherIs } from "./notice.js";
import { preference, prefer } from "./preference.js";
import { go, to } from "./route.js";
import { Look } from "./server.js";
import { Watch } from "./watch.js";
import { when, whenDue } from "./when.js";

const VIEWS = ["mine", "groups", "free", "all"];
const SORTS = ["due", "priority", "created"];
const ASKED = { mine: { assignee: "me" }, groups: { group: "me", assigned: "false" }, free: { assigned: "false" }, all: {} };
const USUAL = 50;
/** Up to how many tasks the server counts. */
const MOST = 100;
const PAUSE = 300;

export function inboxPage({ main, query, client, titled }) {
  const view = VIEWS.includes(query.get("view")) ? query.get("view") : (preference("inbox") ?? usual(client));
  const sort = SORTS.includes(query.get("sort")) ? query.get("sort") : "due";
  const text = query.get("text") ?? "";
  const cursor = query.get("cursor");
  prefer("inbox", view);
  titled(t("nav.inbox"));

  const list = el("ul", { class: "inbox", "aria-label": t(`inbox.${view}`) });
  const nothing = el("div", { class: "nothing", hidden: true });
  const older = el("a", { class: "button", hidden: true }, t("inbox.more"));
  const first = el("a", { class: "button", hidden: cursor === null, href: here({ cursor: null }) }, t("inbox.first"));
  const trouble = el("div");
  const rows = new Rows(list, (task) => task.taskId, item);
  const counts = new Look("task/count");
  const tabs = el("nav", { class: "tabs", "aria-label": t("inbox.views") });
  const look = new Look("task", { kind: "user", ...ASKED[view], sort, text, cursor, limit: 50 });
  let pause = null;

  const search = el("input", {
    type: "search",
    "aria-label": t("inbox.search"),
    placeholder: t("inbox.search"),
    value: text,
    autocomplete: "off",
    oninput: () => {
      clearTimeout(pause);
      pause = setTimeout(() => go(here({ text: search.value, cursor: null })), PAUSE);
    },
  });
  const order = el(
    "select",
    { "aria-label": t("sort"), onchange: (event) => go(here({ sort: event.target.value, cursor: null })) },
    SORTS.map((key) => el("option", { value: key, selected: key === sort }, t(`inbox.sort.${key}`))),
  );
  fill(
    main,
    el("div", { class: "page-head" }, el("h1", { tabindex: "-1" }, t("nav.inbox"))),
    tabs,
    el("div", { class: "inbox-tools" }, search, order),
    trouble,
    list,
    nothing,
    el("nav", { class: "pages", "aria-label": t("parts") }, first, older),
  );
  drawTabs();
  // Every letter that is typed makes a place of its own, and the field goes on where it was.
  if (text !== "" || query.has("text")) {
    search.focus();
    search.setSelectionRange(text.length, text.length);
  }

  /** How many there are is said where it is known, of many that it is many. */
  function drawTabs() {
    refill(tabs, [counts.data], () =>
      VIEWS.map((key) =>
        el(
          "a",
          {
            class: "button tab",
            href: to("inbox", null, { view: key, sort: sort === "due" ? null : sort, text }),
            "aria-current": key === view ? "page" : null,
            "data-focus": key,
          },
          t(`inbox.${key}`),
          counts.data?.[key] > 0 && el("span", { class: "number" }, counts.data[key] < MOST ? `${counts.data[key]}` : `${MOST}+`),
        ),
      ),
    );
  }

  function here(changed) {
    const asked = { view, sort: sort === "due" ? null : sort, text, cursor, ...changed };
    if (asked.sort === "due") asked.sort = null;
    return to("inbox", null, asked);
  }

  const watch = new Watch(refresh, {
    interval: () => 4000,
    trouble: (problem) => {
      weatherIs(problem);
      fill(trouble, problem && problem.passing !== true ? problemBox(problem) : null);
    },
  });

  async function refresh(signal) {
    const [some] = await Promise.all([look.again(signal), counts.again(signal)]);
    drawTabs();
    if (!some) return;
    const { items, cursor: next } = look.data;
    rows.update(items);
    nothing.hidden = items.length !== 0;
    fill(
      nothing,
      el("p", {}, el("strong", {}, t(next === null ? (text === "" ? `inbox.none.${view}` : "inbox.none.found") : "inbox.none.here"))),
      next === null && text === "" && view !== "all" && counts.data?.all > 0 && elsewhere(counts.data.all),
    );
    older.hidden = next === null;
    older.href = here({ cursor: next });
  }

  /** The way to tasks that are nobody's in particular, which stand in no other list. */
  function elsewhere(count) {
    const place = here({ view: "all", cursor: null });
    return el("p", {}, el("a", { class: "button", href: place, "data-focus": "all" }, counted("inbox.see.all", count)));
  }

  return {
    close() {
      clearTimeout(pause);
      watch.stop();
    },
  };
}

/** For who is in no group, as everybody where there are no keys, whatever nobody has is the list to take from. */
const usual = ({ groups }) => (groups?.length > 0 ? "groups" : "free");

function item(task) {
  const candidates = [...task.users, ...task.groups];
  return el(
    "li",
    {},
    el(
      "div",
      { class: "inbox-what" },
      el("a", { href: to("task", task.taskId), "data-focus": "name" }, said(task.name)),
      el(
        "p",
        { class: "hint" },
        said(task.processName),
        task.businessKey !== null && [" · ", said(task.businessKey)],
      ),
    ),
    el(
      "div",
      { class: "inbox-who" },
      task.assignee !== null
        ? [icon("person"), said(task.assignee)]
        : candidates.length > 0
          ? el("span", { class: "faint" }, said(candidates.join(", ")))
          : el("span", { class: "faint" }, t("inbox.anybody")),
    ),
    el("div", { class: "inbox-due" }, dueBadge(task), task.priority !== USUAL && priorityTag(task)),
    el("div", { class: "inbox-when faint" }, when(task.createdAt)),
  );
}

/** When it is due, or nothing. */
export function dueBadge(task) {
  if (task.dueAt === null) return null;
  const { word, late, soon } = whenDue(task.dueAt);
  const colour = late ? "failed" : soon ? "waiting" : "undone";
  return el("span", { class: `badge is-${colour}` }, icon(late ? "warning" : "waiting"), el("span", {}, word));
}

export function priorityTag(task) {
  return el("span", { class: "tag" }, t("inbox.priority", { priority: task.priority }));
}

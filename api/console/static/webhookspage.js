// Who is told over HTTP what processes come to, and what they were told: what did not arrive is told once more.

import { badge } from "./badge.js";
import { ask } from "./dialog.js";
import { el, fill, Rows, said } from "./element.js";
import { icon } from "./icon.js";
import { t } from "./language.js";
import { problemBox, toast, weatherIs } from "./notice.js";
import { to } from "./route.js";
import { Look, post, put, remove } from "./server.js";
import { Watch } from "./watch.js";

const COLOURS = { pending: "waiting", sent: "success", failed: "failed" };
const COLUMNS = ["status", "type", "process", "url", "attempts", "created", "actions"];

export function webhooksPage({ main, query, client, titled }) {
  const may = client.scopes.length === 0 || client.scopes.includes("run");
  const trouble = el("div");
  const listeners = el("ul", { class: "plain webhooks" });
  const body = el("tbody");
  const older = el("a", { class: "button", hidden: true }, t("older"));
  const nothing = el("p", { class: "nothing", hidden: true }, t("webhook.none"));
  const subscriptions = new Look("subscription");
  const notices = new Look("notice", { limit: 50, cursor: query.get("cursor") });
  const rows = new Rows(body, (notice) => notice.noticeId, row);
  const head = el("thead", {}, el("tr", {}, COLUMNS.map((name) => el("th", { scope: "col" }, t(`webhook.${name}`)))));
  const table = el("table", { class: "list", "aria-label": t("webhook.notices") }, head, body);

  titled(t("nav.webhooks"));
  fill(
    main,
    el(
      "div",
      { class: "page-head" },
      el("h1", { tabindex: "-1" }, t("nav.webhooks")),
      may && el("div", { class: "actions" }, button("plus", "webhook.add", add, "primary"), button("key", "webhook.secret", secret)),
    ),
    trouble,
    el("h2", {}, t("webhook.listeners")),
    listeners,
    el("h2", {}, t("webhook.notices")),
    table,
    nothing,
    el("nav", { class: "pages", "aria-label": t("parts") }, older),
  );

  function button(sign, text, act, kind = "") {
    return el("button", { type: "button", class: kind, onclick: act }, icon(sign), t(text));
  }

  function row(notice) {
    const { noticeId, status, type, processInstanceId, url, attempts, createdAt, reason } = notice;
    const again = () => tried(() => put(`notice/${noticeId}/replay`), t("webhook.replayed"));
    const cells = [
      badge(COLOURS[status], t(`webhook.status.${status}`)),
      el("code", {}, said(type)),
      el("a", { href: to("process", processInstanceId), "data-focus": "process" }, `#${processInstanceId}`),
      [said(url, { class: "said clip" }), reason && el("div", { class: "reason" }, said(reason))],
      `${attempts}`,
      new Date(createdAt).toLocaleString(),
      may && el("button", { type: "button", class: "small", "data-focus": "replay", onclick: again }, icon("again"), t("webhook.replay")),
    ];
    return el("tr", {}, cells.map((cell) => el("td", {}, cell)));
  }

  function listener({ subscriptionId, url, key, owner }) {
    const whose = key === null ? t("webhook.all") : t("webhook.of", { key });
    return el(
      "li",
      { class: "row" },
      icon("bell"),
      said(url),
      el("span", { class: "sub" }, [whose, owner].filter(Boolean).join(" · ")),
      may && el("button", { type: "button", class: "small danger-quiet", onclick: () => drop(subscriptionId, url) }, icon("trash"), t("remove")),
    );
  }

  async function add() {
    const field = (id, label, hint) => {
      const input = el("input", { id, type: "text", autocomplete: "off", "aria-describedby": `${id}-hint` });
      const node = el("div", { class: "field" }, el("label", { for: id }, label), input, el("p", { class: "hint", id: `${id}-hint` }, hint));
      return { input, node };
    };
    const url = field("webhook-url", t("webhook.url"), t("webhook.url.hint"));
    const key = field("webhook-key", t("fact.key"), t("webhook.key.hint"));
    const added = await ask({
      title: t("webhook.add"),
      confirm: t("webhook.add"),
      content: [url.node, key.node],
      act: () => post("subscription", { url: url.input.value.trim(), key: key.input.value.trim() || null }),
    });
    if (added !== null) watch.now();
  }

  async function drop(subscriptionId, url) {
    const gone = await ask({
      title: t("webhook.remove"),
      confirm: t("remove"),
      danger: true,
      content: el("p", {}, said(url)),
      act: () => remove(`subscription/${subscriptionId}`),
    });
    if (gone !== null) watch.now();
  }

  async function secret() {
    const made = await ask({
      title: t("webhook.secret"),
      confirm: t("webhook.secret.do"),
      content: el("p", {}, t("webhook.secret.text")),
      act: () => post("webhook/secret"),
    });
    if (made === null) return;
    const shown = el("input", { type: "text", readonly: true, class: "code", value: made.secret, "aria-label": t("webhook.secret") });
    ask({ title: t("webhook.secret"), confirm: t("close"), content: [el("p", {}, t("webhook.secret.once")), shown], act: async () => true });
  }

  async function tried(act, text) {
    fill(trouble);
    try {
      await act();
      toast(text);
    } catch (problem) {
      fill(trouble, problemBox(problem));
    }
    await watch.now();
  }

  async function refresh(signal) {
    const [heard, told] = await Promise.all([subscriptions.again(signal), notices.again(signal)]);
    if (heard) fill(listeners, subscriptions.data.length > 0 ? subscriptions.data.map(listener) : el("li", { class: "faint" }, t("webhook.nobody")));
    if (!told) return;
    const { items, cursor } = notices.data;
    rows.update(items);
    table.hidden = items.length === 0;
    nothing.hidden = items.length !== 0;
    older.hidden = cursor === null;
    older.href = to("webhooks", null, { cursor });
  }

  const watch = new Watch(refresh, {
    interval: () => 4000,
    trouble: (problem) => {
      weatherIs(problem);
      if (problem && problem.passing !== true) fill(trouble, problemBox(problem));
    },
  });
  return { close: () => watch.stop() };
}

// The stones that models may use: what each takes, puts out and can do.

import { ask } from "./dialog.js";
import { el, fill, said } from "./element.js";
import { asText } from "./exactjson.js";
import { icon } from "./icon.js";
import { counted, has, t } from "./language.js";
import { box, problemBox, weatherIs } from "./notice.js";
import { get, put } from "./server.js";

export function stonesPage({ main, client, titled }) {
  const may = client.scopes.length === 0 || client.scopes.includes("deploy");
  const list = el("div", { class: "stones" });
  const trouble = el("div");
  const shared = el("div");
  const count = el("p", { class: "faint", role: "status" });
  const search = el("input", {
    type: "search",
    id: "search",
    "aria-label": t("search.stones"),
    placeholder: t("search.stones"),
    oninput: () => draw(),
  });
  let stones = [];
  let suspended = new Map();

  titled(t("nav.stones"));
  fill(
    main,
    el("div", { class: "page-head" }, el("h1", { tabindex: "-1" }, t("nav.stones")), count),
    el("div", { class: "filters", role: "search" }, el("div", { class: "search" }, icon("search"), search)),
    trouble,
    shared,
    list,
  );
  load();

  async function load() {
    try {
      const [all, stopped, quotas] = await Promise.all([get("stone"), get("stone/suspended"), get("quota", { limit: 200 })]);
      stones = all;
      fill(shared, quotas.items.length > 0 && quotaTable(quotas));
      suspended = new Map(stopped.map((each) => [each.code, each]));
      weatherIs(null);
      draw();
    } catch (problem) {
      weatherIs(problem);
      fill(trouble, problemBox(problem));
    }
  }

  function draw() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = stones.filter((stone) =>
      words.every((word) => `${stone.code} ${stone.displayName} ${stone.description}`.toLowerCase().includes(word)),
    );
    count.textContent = counted("count.stones", found.length);
    if (stones.length === 0)
      fill(
        list,
        el(
          "div",
          { class: "nothing" },
          el("p", { class: "large" }, t("empty.stones")),
          el("p", {}, t("empty.stones.hint")),
        ),
      );
    else fill(list, found.map(card));
  }

  /** How much of each quota is used, and how many tasks wait for it. */
  function quotaTable({ items, cursor }) {
    const of = (held, most) => (most === null ? String(held) : t("quota.of", { held, most }));
    const cells = (each) => [
      el("th", { scope: "row" }, said(each.name)),
      el("td", {}, said(each.value ?? "")),
      el("td", {}, of(each.held, each.atOnce)),
      el("td", {}, String(each.waiting)),
      el("td", {}, of(each.undoHeld, each.atOnce)),
      el("td", {}, String(each.undoWaiting)),
      el("td", {}, each.perMinute === null ? "" : String(each.perMinute)),
    ];
    const columns = ["name", "value", "held", "waiting", "undoHeld", "undoWaiting", "perMinute"];
    return el(
      "section",
      { class: "panel wide-table", tabindex: "0", role: "region", "aria-label": t("quotas") },
      el(
        "table",
        { class: "plain-list" },
        el("caption", {}, t("quotas")),
        el("thead", {}, el("tr", {}, columns.map((name) => el("th", { scope: "col" }, t(`quota.${name}`))))),
        el("tbody", {}, items.map((each) => el("tr", {}, cells(each)))),
      ),
      cursor !== null && el("p", { class: "faint" }, t("quota.more")),
    );
  }

  function quotaText({ atOnce, perMinute, by, name }) {
    const told = [
      atOnce !== null && t("stone.quota.atOnce", { atOnce }),
      perMinute !== null && t("stone.quota.perMinute", { perMinute }),
      by !== null && t("stone.quota.by", { by }),
      name !== null && t("stone.quota.name", { name }),
    ];
    return told.filter(Boolean).join(", ");
  }

  function card(stone) {
    const serves = Object.entries(stone.serves);
    return el(
      "article",
      { class: "panel stone" },
      el(
        "div",
        { class: "panel-head" },
        el("h2", {}, said(stone.displayName || stone.code)),
        stone.displayName && el("code", {}, said(stone.code)),
        serves.map(([name, value]) => el("span", { class: "tag" }, said(`${name} = ${JSON.stringify(value)}`))),
        el(
          "ul",
          { class: "hooks end", "aria-label": t("hooks") },
          stone.hooks.map((hook) => el("li", { class: "tag", title: t(`hook.${hook}`) }, hook)),
        ),
        may &&
          !suspended.has(stone.code) &&
          el("button", { type: "button", class: "small quiet", onclick: () => suspend(stone) }, icon("paused"), t("suspend")),
      ),
      suspended.has(stone.code) && suspension(suspended.get(stone.code)),
      stone.description && el("p", { class: "prose" }, said(stone.description)),
      stone.quota && el("p", { class: "faint" }, t("stone.quota"), " ", said(quotaText(stone.quota))),
      stone.parameters.length > 0 && parameters(stone),
      stone.outputs.length > 0 && outputs(stone),
    );
  }

  /** Nothing of it begins: since when, why, and the way to let it begin again. */
  function suspension({ code, since, reason, who }) {
    const letGoOn = () => changed(() => put("stone/unsuspend", { code }));
    return box(
      "paused",
      el("p", {}, el("strong", {}, who ? t("suspended.by", { who, since }) : t("suspended.title", { since }))),
      reason && el("p", {}, said(reason)),
      may && el("p", { class: "row" }, el("button", { type: "button", class: "primary", onclick: letGoOn }, icon("play"), t("unsuspend"))),
    );
  }

  async function suspend({ code, displayName }) {
    const reason = el("input", { type: "text", id: "reason", maxlength: "1000", autocomplete: "off" });
    const done = await ask({
      title: t("suspend.title", { name: displayName || code }),
      confirm: t("suspend.do"),
      content: [
        el("p", {}, t("suspend.stone.text")),
        el("div", { class: "field" }, el("label", { for: "reason" }, t("suspend.reason")), reason),
      ],
      act: () => put("stone/suspend", { code, reason: reason.value || null }),
    });
    if (done !== null) await load();
  }

  async function changed(act) {
    fill(trouble);
    try {
      await act();
    } catch (problem) {
      fill(trouble, problemBox(problem));
    }
    await load();
  }

  function table(stone, label, columns, rows) {
    return el(
      "div",
      { class: "wide-table", tabindex: "0", role: "region", "aria-label": `${stone.code}: ${label}` },
      el(
        "table",
        { class: "plain-list" },
        el("caption", {}, label),
        el(
          "thead",
          {},
          el(
            "tr",
            {},
            columns.map((name) => el("th", { scope: "col" }, t(`stone.${name}`))),
          ),
        ),
        el("tbody", {}, rows),
      ),
    );
  }

  function parameters(stone) {
    return table(
      stone,
      t("parameters"),
      ["name", "type", "default", "meaning"],
      stone.parameters.map((parameter) =>
        el(
          "tr",
          {},
          el(
            "td",
            {},
            el("code", {}, said(parameter.name)),
            parameter.required && el("span", { class: "needed" }, t("needed")),
          ),
          el("td", {}, has(`type.${parameter.type}`) ? t(`type.${parameter.type}`) : parameter.type),
          el(
            "td",
            {},
            parameter.default === null || parameter.default === ""
              ? el("span", { class: "faint" }, "–")
              : el(
                  "code",
                  {},
                  said(asText(parameter.default)),
                ),
          ),
          el("td", {}, meaning(parameter)),
        ),
      ),
    );
  }

  function meaning(parameter) {
    const allowed =
      parameter.allowedValues &&
      t("stone.allowed", {
        values: parameter.allowedValues
          .map(asText)
          .join(", "),
      });
    const name = parameter.displayName === parameter.name ? null : parameter.displayName;
    return [
      [name, parameter.description, allowed].filter(Boolean).map((text) => el("span", { class: "part" }, said(text))),
      parameter.noEcho && el("span", { class: "tag" }, t("stone.secret")),
      !parameter.visible && el("span", { class: "tag" }, t("stone.expert")),
    ];
  }

  function outputs(stone) {
    return table(
      stone,
      t("outputs"),
      ["name", "meaning"],
      stone.outputs.map((output) =>
        el(
          "tr",
          {},
          el("td", {}, el("code", {}, said(output.name))),
          el("td", {}, said(output.description), output.secret && el("span", { class: "tag" }, t("stone.secret"))),
        ),
      ),
    );
  }
}

// The list of models, and the way in for new ones.

import { keysOfTables } from "./decisionkeys.js";
import { ask } from "./dialog.js";
import { el, fill, Rows, said } from "./element.js";
import { icon } from "./icon.js";
import { t } from "./language.js";
import { problemBox, toast, weatherIs } from "./notice.js";
import { go, to } from "./route.js";
import { Look } from "./server.js";
import { askForFiles } from "./upload.js";
import { Watch } from "./watch.js";

/** A key as people would write it, made from a name; of a name without letters of its alphabet, from the `moment`. */
function keyOf(name, moment) {
  const words = name.trim().toLowerCase().replace(/[^a-z0-9]+/g, "-");
  const key = words.replace(/^-+|-+$/g, "").replace(/^(?=\d)/, "p-");
  // Another model must not have it, since a deployment of that key would be its next version.
  return key || (name.trim() && `process-${moment.replace(/\D/g, "").slice(0, 14)}`);
}

export function modelsPage({ main, query, client, titled }) {
  const may = client.scopes.length === 0 || client.scopes.includes("deploy");
  const cursor = query.get("cursor");
  const look = new Look("model", { limit: 50, cursor });
  const draftLook = new Look("draft", { limit: 100 });
  const drafts = el("section", { class: "drafts", hidden: true, "aria-label": t("drafts") });
  const trouble = el("div");
  let tables = new Set();
  const body = el("tbody");
  const nothing = el(
    "div",
    { class: "nothing", hidden: true },
    el("p", { class: "large" }, t("empty.models")),
    el("p", {}, t("empty.models.hint")),
  );
  const older = el("a", { class: "button", href: "#", hidden: true }, t("older"), icon("right"));
  const rows = new Rows(body, (item) => item.modelId, row);
  const table = el(
    "table",
    { class: "list models", "aria-label": t("nav.models"), hidden: true },
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        ["model", "key", "updated", "actions"].map((name) =>
          el("th", { scope: "col", class: `is-${name}` }, t(`column.${name}`)),
        ),
      ),
    ),
    body,
  );

  function row(item) {
    return el(
      "tr",
      {},
      el(
        "td",
        { class: "is-model" },
        el("a", { href: to("model", item.modelId), "data-focus": "name" }, said(item.name, { class: "said clamp" })),
      ),
      el("td", { class: "is-key" }, said(item.key, { class: "said clip" })),
      el("td", { class: "is-updated" }, item.updateTime),
      el(
        "td",
        { class: "is-actions" },
        may && !tables.has(item.key) && el("a", { href: to("edit", item.modelId), "data-focus": "draw" }, t("edit.draw")),
        !tables.has(item.key) && el("a", { href: to("processes", null, { key: item.key }) }, t("nav.processes")),
      ),
    );
  }

  async function add(given = []) {
    const saved = await askForFiles({ given });
    if (saved === null) return;
    toast(saved.isDraft ? t("upload.kept") : t("saved", { name: saved.name }));
    go(to(saved.isDraft ? "edit" : "model", saved.modelId));
  }

  /** Ask how the new process is called, then draw it. */
  async function fresh() {
    const name = el("input", { id: "new-name", type: "text", autocomplete: "off" });
    const key = el("input", { id: "new-key", type: "text", autocomplete: "off", spellcheck: "false", class: "code" });
    const moment = new Date().toISOString();
    let own = false;
    key.addEventListener("input", () => (own = true));
    name.addEventListener("input", () => {
      if (!own) key.value = keyOf(name.value, moment);
    });
    const field = (input, label, hint) =>
      el(
        "div",
        { class: "field" },
        el("label", { for: input.id }, label),
        input,
        hint && el("p", { class: "hint" }, hint),
      );
    const given = await ask({
      title: t("edit.new"),
      confirm: t("edit.draw"),
      content: [field(name, t("edit.name")), field(key, t("fact.key"), t("edit.key.hint"))],
      act: async () => {
        if (!/^[A-Za-z_][\w.-]*$/.test(key.value)) throw new Error(t("edit.key.hint"));
        return { key: key.value, name: name.value.trim() || key.value };
      },
    });
    if (given !== null) go(to("edit", null, given));
  }

  const zone = el(
    "div",
    { class: "zone" },
    icon("upload"),
    el("p", {}, t("upload.drop")),
    el("button", { type: "button", onclick: () => add() }, icon("upload"), t("upload")),
    el("button", { type: "button", class: "primary", onclick: fresh }, icon("plus"), t("edit.new")),
  );
  zone.addEventListener("dragover", (event) => {
    event.preventDefault();
    zone.classList.add("is-over");
  });
  zone.addEventListener("dragleave", () => zone.classList.remove("is-over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("is-over");
    add([...event.dataTransfer.files]);
  });

  titled(t("nav.models"));
  fill(
    main,
    el("div", { class: "page-head" }, el("h1", { tabindex: "-1" }, t("nav.models"))),
    trouble,
    may && zone,
    drafts,
    table,
    nothing,
    el("nav", { class: "pages", "aria-label": t("parts") }, older),
  );
  /** What is drawn and not saved: by whom, and the way to go on. */
  function drawDrafts(items) {
    drafts.hidden = items.length === 0;
    const line = ({ modelId, name, key, who, updateTime }) =>
      el(
        "li",
        {},
        icon("pen"),
        may ? el("a", { href: to("edit", modelId) }, said(name)) : said(name),
        el("code", {}, said(key)),
        el("span", { class: "sub" }, t("drafts.by", { who: who ?? "–", time: updateTime })),
      );
    fill(drafts, el("h2", {}, t("drafts")), el("ul", { class: "draft-list" }, items.map(line)));
  }

  const watch = new Watch(
    async (signal) => {
      const [some, drawn] = await Promise.all([look.again(signal), draftLook.again(signal)]);
      if (drawn) drawDrafts(draftLook.data.items);
      if (!some) return;
      const { items, cursor: next } = look.data;
      tables = await keysOfTables();
      rows.update(items);
      table.hidden = items.length === 0;
      nothing.hidden = items.length !== 0;
      older.hidden = next === null;
      older.href = to("models", null, { cursor: next });
    },
    {
      interval: () => 5000,
      trouble: (problem) => {
        weatherIs(problem);
        fill(trouble, problem && problem.passing !== true ? problemBox(problem) : null);
      },
    },
  );
  return { close: () => watch.stop() };
}

// One model: its diagram, what the checks say, its versions and its templates.

import { ask } from "./dialog.js";
import { decisionsIn, DecisionView } from "./decisionview.js";
import { Diagram } from "./diagram.js";
import { el, fill, said } from "./element.js";
import { asText } from "./exactjson.js";
import { findingList } from "./findings.js";
import { icon } from "./icon.js";
import { has, t } from "./language.js";
import { box, problemBox, toast, weatherIs } from "./notice.js";
import { go, rename, to } from "./route.js";
import { get, getAll, post, put, remove } from "./server.js";
import { askForFiles } from "./upload.js";

export function modelPage({ main, id, query, client, titled }) {
  const may = client.scopes.length === 0 || client.scopes.includes("deploy");
  const heading = el("h1", { tabindex: "-1" }, "…");
  const facts = el("dl", { class: "facts wide" });
  const actions = el("div", { class: "actions" });
  const trouble = el("div");
  const diagram = new Diagram({ label: t("diagram") });
  const decisions = new DecisionView();
  const content = el("h2", {}, t("diagram"));
  const findings = el("div");
  const strict = el("input", { id: "strict", type: "checkbox", onchange: () => chosen() });
  const versions = el("select", { id: "version", onchange: () => chosen() });
  const templates = el("div", { class: "panels" });
  const shown = el("span", { class: "faint" });
  let model = null;
  let deployments = [];
  let schedule = [];
  let figures = null;

  fill(
    main,
    el("p", { class: "back" }, el("a", { href: to("models") }, icon("left"), t("nav.models"))),
    el("div", { class: "page-head" }, heading, actions),
    facts,
    trouble,
    el(
      "section",
      { class: "panel" },
      el(
        "div",
        { class: "panel-head" },
        content,
        shown,
        el("label", { class: "inline end", for: "version" }, t("version"), versions),
      ),
      diagram.node,
      decisions.node,
    ),
    el(
      "section",
      { class: "panel" },
      el(
        "div",
        { class: "panel-head" },
        el("h2", {}, t("findings")),
        el("label", { class: "inline end", for: "strict" }, strict, t("findings.strict")),
      ),
      findings,
    ),
    templates,
  );
  titled(t("nav.models"));
  load();

  async function load() {
    try {
      model = await get(`model/${id}`);
      deployments = (await getAll("deployment", { modelId: id })).filter(({ key }) => key === model.key);
      figures = deployments.length === 0 ? null : await get("statistics", { key: model.key, runs: 1000 });
      schedule = deployments.length === 0 ? [] : (await get(`deployment/${deployments[0].deploymentId}`)).nextStarts;
      await draw();
      weatherIs(null);
    } catch (problem) {
      weatherIs(problem);
      fill(trouble, problemBox(problem));
    }
  }

  async function draw() {
    fill(heading, said(model.name));
    titled(model.name);
    const fact = (name, value) => el("div", {}, el("dt", {}, t(`fact.${name}`)), el("dd", {}, value));
    fill(
      facts,
      fact("key", said(model.key)),
      fact("updated", model.updateTime),
      fact(
        "versions",
        deployments.length === 0 ? t("versions.none") : `v${deployments[0].version} · ${deployments[0].createTime}`,
      ),
      figures?.runs > 0 && fact("runs", counts()),
      schedule.length > 0 && fact("schedule", schedule.join(" · ")),
      model.deleteProtection && fact("flags", el("span", { class: "tag" }, t("flag.deleteProtection"))),
      !holdsDecisions() &&
        fact("processes", el("a", { href: to("processes", null, { key: model.key }) }, t("nav.processes"))),
    );
    fill(
      actions,
      may && el("button", { type: "button", class: "primary", onclick: deploy }, icon("upload"), t("deploy")),
      !holdsDecisions() &&
        el("a", { class: "button", href: to("start", null, { modelId: id }) }, icon("play"), t("trial")),
      !holdsDecisions() &&
        deployments.length > 0 &&
        el("a", { class: "button", href: to("start", null, { key: model.key }) }, icon("play"), t("nav.start")),
      may && !holdsDecisions() && el("a", { class: "button", href: to("edit", id) }, icon("pen"), t("edit.draw")),
      may && el("button", { type: "button", onclick: replace }, t("edit.file")),
      may &&
        el(
          "button",
          { type: "button", class: "quiet", onclick: protect },
          icon("retained"),
          t(model.deleteProtection ? "unprotect" : "protect"),
        ),
      may && el("button", { type: "button", class: "danger-quiet", onclick: discard }, icon("trash"), t("discard")),
    );
    const wanted = query.get("version") ?? "";
    fill(
      versions,
      el("option", { value: "" }, t("version.draft")),
      deployments.map((item) =>
        el(
          "option",
          { value: item.deploymentId, selected: String(item.version) === wanted },
          `v${item.version} · ${item.createTime}`,
        ),
      ),
    );
    await chosen();
    drawTemplates();
  }

  /** How the versions do: their runs among the last ones. */
  function counts() {
    const line = ({ version, runs, open, failed }) =>
      el("li", {}, version > 0 ? `v${version}: ` : `${t("trial")}: `, t("versions.counts", { runs, open, failed }));
    const ordered = figures.models.toSorted((one, other) => other.version - one.version);
    return [
      !figures.complete && el("span", { class: "sub" }, t("versions.counts.of", { count: figures.runs })),
      el("ul", { class: "plain" }, ordered.slice(0, 5).map(line)),
    ];
  }

  async function chosen() {
    const deploymentId = versions.value;
    fill(trouble);
    try {
      const { files, key } = deploymentId === "" ? model : await get(`deployment/${deploymentId}`);
      const version = deployments.find((item) => item.deploymentId === deploymentId)?.version;
      rename(to("model", id, { version }));
      const file = files.find((text) => text.includes(`id="${key}"`)) ?? files[0];
      const root = decisionsIn(file);
      diagram.node.hidden = root !== null;
      decisions.node.hidden = root === null;
      content.textContent = t(root === null ? "diagram" : "decisions");
      if (root === null) await diagram.show(file, key);
      else decisions.show(root, deploymentId || null);
      shown.textContent = files.length > 1 ? t("files", { count: files.length }) : "";
      if (deploymentId === "") await check();
      else fill(findings, el("p", { class: "faint" }, t("findings.draft")));
    } catch (problem) {
      fill(trouble, problemBox(problem));
    }
  }

  function holdsDecisions() {
    return decisionsIn(model.files[0]) !== null;
  }

  async function check() {
    const found = await get(`model/${id}/finding`, { strict: strict.checked ? "true" : null });
    const looks = new Map();
    for (const { elementId, severity, text } of found) {
      if (elementId === null || looks.has(elementId)) continue;
      const state = severity === "error" ? "failed" : "missing";
      looks.set(elementId, { classes: [`is-${state}`], badges: [["state", `is-${state}`, "warning", null, text]] });
    }
    if (!holdsDecisions()) diagram.paint(looks);
    const reach = (elementId) => {
      if (holdsDecisions()) {
        document.getElementById(`decision-${elementId}`)?.scrollIntoView({ block: "nearest" });
        return;
      }
      diagram.reach(elementId);
      diagram.point(elementId);
      diagram.node.scrollIntoView({ block: "nearest" });
    };
    fill(findings, found.length === 0 ? box("success", el("p", {}, t("findings.none"))) : findingList(found, reach));
  }

  function drawTemplates() {
    const part = (name, entries, columns) =>
      entries?.length > 0 &&
      el(
        "section",
        { class: "panel" },
        el("div", { class: "panel-head" }, el("h2", {}, t(name))),
        el(
          "div",
          { class: "wide-table", tabindex: "0", role: "region", "aria-label": t(name) },
          el(
            "table",
            { class: "plain-list" },
            el(
              "thead",
              {},
              el(
                "tr",
                {},
                columns.map((column) => el("th", { scope: "col" }, t(`template.${column}`))),
              ),
            ),
            el(
              "tbody",
              {},
              entries.map((entry) =>
                el(
                  "tr",
                  {},
                  columns.map((column) => el("td", {}, cell(entry, column))),
                ),
              ),
            ),
          ),
        ),
      );
    fill(
      templates,
      part("template.parameters", model.parameterTemplate, ["Key", "Type", "DefaultValue", "limits", "Description"]),
      part("template.outputs", model.outputsTemplate, ["Key", "Value"]),
    );
  }

  function cell(entry, column) {
    const text = (value) =>
      value === undefined || value === null ? "" : said(asText(value));
    if (column === "Key")
      return [
        el("code", {}, text(entry.NameSpace ? `${entry.NameSpace}.${entry.Key}` : entry.Key)),
        entry.DisplayName && el("span", { class: "sub" }, text(entry.DisplayName)),
      ];
    if (column === "limits") {
      const names = ["AllowedValues", "AllowedPattern", "MinValue", "MaxValue", "MinLength", "MaxLength", "NoEcho"];
      return names
        .filter((name) => name in entry)
        .map((name) => el("span", { class: "sub" }, `${t(`edit.entry.${name}`)} `, text(entry[name])));
    }
    if (column === "Type" && has(`edit.type.${entry.Type}`)) return t(`edit.type.${entry.Type}`);
    return text(entry[column]);
  }

  async function deploy() {
    fill(trouble);
    try {
      const { version } = await post(`model/${id}/deployment`);
      toast(t("deployed", { name: model.name, version }));
      await load();
    } catch (problem) {
      fill(trouble, problemBox(problem), problem.findings?.length ? findingList(problem.findings) : null);
    }
  }

  async function protect() {
    await tried(() => put(`model/${id}/protection`, { deleteProtection: !model.deleteProtection }));
    await load();
  }

  /** Remove the version that is shown, or from the draft the whole model. */
  async function discard() {
    const deploymentId = versions.value;
    const version = deployments.find((item) => item.deploymentId === deploymentId)?.version;
    const gone = await ask({
      title:
        deploymentId === ""
          ? t("discard.model", { name: model.name })
          : t("discard.version", { name: model.name, version }),
      confirm: t("discard.do"),
      danger: true,
      content: el("p", {}, t("discard.text")),
      act: () => remove(deploymentId === "" ? `model/${id}` : `deployment/${deploymentId}`),
    });
    if (gone === null) return;
    if (deploymentId === "") go(to("models"));
    else await load();
  }

  async function tried(act) {
    fill(trouble);
    try {
      await act();
    } catch (problem) {
      fill(trouble, problemBox(problem));
    }
  }

  async function replace() {
    const saved = await askForFiles({ model });
    if (saved === null) return;
    if (saved.isDraft) return drawOn(saved);
    toast(t("saved", { name: saved.name }));
    go(to("model", id));
    await load();
  }

  function drawOn(draft) {
    toast(t("upload.kept"));
    go(to("edit", draft.modelId));
  }

  return { close: () => diagram.close() };
}

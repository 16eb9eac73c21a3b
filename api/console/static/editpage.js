// Drawing a model: the canvas, the shelf of stones, the form of the chosen element, and what the server's checks say.

import { ask } from "./dialog.js";
import { Diagram } from "./diagram.js";
import { compare, Editor, loadKit } from "./editor.js";
import { Panel } from "./editpanel.js";
import { el, fill, said } from "./element.js";
import { findingList } from "./findings.js";
import { icon } from "./icon.js";
import { counted, t } from "./language.js";
import { box, problemBox, toast } from "./notice.js";
import { go, to } from "./route.js";
import { get, getAll, post, upload } from "./server.js";

export function editPage({ main, id, query, titled }) {
  let keep = `riverstone.draft.${id ?? "new"}`;
  const canvas = el("div", { class: "designer-canvas" });
  const shelf = el("div", { class: "designer-shelf" });
  const findings = el("div", { class: "designer-findings", hidden: true });
  const trouble = el("div", { class: "designer-trouble" });
  const heading = el("h1", { tabindex: "-1", class: "designer-title" }, "…");
  const state = el("span", { class: "faint designer-state", role: "status" });
  const verdict = el("button", { type: "button", class: "chip designer-verdict", "aria-expanded": "false", onclick: () => opened() });
  const tool = (name, text, act, words = false) => el("button", { type: "button", class: words ? "" : "square quiet", "aria-label": words ? null : t(text), title: t(text), onclick: act }, icon(name), words && t(text));
  const undo = tool("undone", "edit.undo.do", () => editor.undo());
  const redo = tool("redo", "edit.redo.do", () => editor.redo());
  let editor = null;
  let panel = null;
  let model = null;
  let place = 0;
  let newest = null;
  let timer = 0;
  let asked = null;
  let closed = false;
  let saved = null;

  fill(main, el("div", { class: "studio" },
    el("div", { class: "designer-bar" },
      el("a", { class: "button square quiet", href: id ? to("model", id) : to("models"), "aria-label": t("nav.models"), title: t("nav.models") }, icon("left")),
      heading, state,
      el("div", { class: "designer-tools" }, undo, redo,
        tool("fit", "zoom.fit", () => editor.fit()), tool("search", "edit.search", () => setTimeout(() => editor.get("searchPad").toggle()))),
      verdict,
      el("div", { class: "actions" },
        tool("diff", "edit.diff", showDiff, true),
        el("details", { class: "menu" }, el("summary", { class: "button" }, icon("download"), t("edit.download")),
          el("div", { class: "menu-items" }, el("button", { type: "button", class: "quiet", onclick: () => download("bpmn") }, "BPMN"), el("button", { type: "button", class: "quiet", onclick: () => download("svg") }, "SVG"))),
        el("button", { type: "button", onclick: () => save() }, t("save")),
        el("button", { type: "button", onclick: tryIt }, icon("play"), t("trial")),
        el("button", { type: "button", class: "primary", onclick: deploy }, icon("upload"), t("deploy")),
      )),
    trouble, shelf, canvas, findings));
  titled(t("edit"));
  const begun = performance.now();
  load();

  async function load() {
    try {
      const [, templates, stones, found] = await Promise.all([loadKit(), get("template", { modeler: "camunda7" }), get("stone"), id ? get(`model/${id}`) : null]);
      const deployments = await getAll("deployment", {});
      if (closed) return;
      model = found;
      newest = model && deployments.find(({ key }) => key === model.key);
      const keys = [...new Set(deployments.map(({ key }) => key))];
      const variables = (model?.parameterTemplate ?? []).map((entry) => ({ key: entry.Key, about: entry.Description ?? entry.DisplayName }));
      editor = new Editor({ container: canvas, templates, changed, selected: (element) => panel?.show(element) });
      panel = new Panel({ editor, stones, variables, keys });
      main.querySelector(".studio").append(panel.node);
      drawShelf(templates, stones);
      place = model ? Math.max(0, model.files.findIndex((text) => text.includes(`id="${model.key}"`))) : 0;
      let xml = model ? model.files[place] : await editor.blank(query.get("key") ?? "process", query.get("name") ?? "");
      const draft = read();
      saved = xml;
      if (draft && draft.xml !== xml) {
        xml = draft.xml;
        fill(trouble, box("info", el("p", {}, t("edit.restored", { time: new Date(draft.at).toLocaleString() }), " ", el("button", { type: "button", class: "link", onclick: forget }, t("edit.forget")))));
      }
      await editor.open(xml);
      heading.textContent = model?.name ?? query.get("name") ?? query.get("key") ?? t("edit.new");
      titled(heading.textContent);
      panel.show(editor.chosen);
      new ResizeObserver(() => !closed && editor.get("canvas").resized()).observe(canvas);
      canvas.dataset.ready = String(Math.round(performance.now() - begun));
      changed(false);
      editor.get("canvas").focus?.();
    } catch (problem) {
      fill(trouble, problemBox(problem));
    }
  }

  function drawShelf(templates, stones) {
    const field = el("input", { type: "search", placeholder: t("search.stones"), "aria-label": t("search.stones") });
    const list = el("ul", {});
    const draw = () => {
      const wanted = field.value.trim().toLowerCase();
      fill(list, templates.filter(({ name, id: code, description }) => `${name} ${code} ${description}`.toLowerCase().includes(wanted)).map((template) => {
        const code = template.id.replace("riverstone:", "");
        return el("li", {}, el("button", {
          type: "button", class: "quiet stone-card", title: template.description, draggable: "true",
          onclick: () => editor.append(template),
          ondragstart: (event) => { event.preventDefault(); editor.place(template, event); },
        }, icon("model"), el("span", {}, said(template.name), el("span", { class: "sub" }, code))));
      }));
    };
    field.addEventListener("input", draw);
    draw();
    fill(shelf, el("h2", {}, t("nav.stones")), field, list, el("p", { class: "hint" }, t("edit.shelf.hint")));
  }

  function changed(edited = true) {
    const stack = editor.get("commandStack");
    undo.disabled = !stack.canUndo();
    redo.disabled = !stack.canRedo();
    clearTimeout(timer);
    timer = setTimeout(() => look(edited), edited ? 400 : 0);
  }

  async function look(edited) {
    const xml = await editor.xml();
    if (closed) return;
    if (edited) {
      write(xml);
      state.textContent = t("edit.unsaved");
    } else state.textContent = newest ? `v${newest.version}` : "";
    asked?.abort();
    asked = new AbortController();
    try {
      const form = formOf(xml);
      form.delete("name");
      show(await upload("POST", "finding", form));
    } catch (problem) {
      if (problem.name !== "AbortError") fill(findings, problemBox(problem));
    }
  }

  function show(found) {
    if (closed) return;
    const errors = found.filter(({ severity }) => severity === "error").length;
    const kind = errors ? "failed" : found.length ? "warning" : "success";
    verdict.className = `chip designer-verdict badge is-${kind}`;
    fill(verdict, icon(kind === "success" ? "success" : kind === "failed" ? "failed" : "warning"), el("span", {}, found.length === 0 ? t("edit.fine") : [errors && counted("edit.errors", errors), found.length - errors && counted("edit.warnings", found.length - errors)].filter(Boolean).join(" · ")));
    const looks = new Map();
    for (const { elementId, severity, text } of found) {
      if (elementId === null) continue;
      const name = severity === "error" ? "is-failed" : "is-missing";
      const before = looks.get(elementId);
      if (before?.name === "is-failed") continue;
      looks.set(elementId, { name, html: el("div", { class: `mark ${name}`, title: text }, icon("warning")) });
    }
    editor.mark(looks);
    fill(findings, found.length === 0 ? el("p", { class: "faint" }, t("findings.none")) : findingList(found, (elementId) => editor.reach(elementId)));
    if (found.length === 0) opened(false);
    verdict.dataset.count = String(found.length);
  }

  function opened(on = findings.hidden) {
    findings.hidden = !on;
    verdict.setAttribute("aria-expanded", String(on));
  }

  function read() {
    try { return JSON.parse(localStorage.getItem(keep)); } catch { return null; }
  }
  function write(xml) {
    try { localStorage.setItem(keep, JSON.stringify({ xml, at: Date.now() })); } catch { /* it is in the page at least */ }
  }
  async function forget() {
    localStorage.removeItem(keep);
    fill(trouble);
    await editor.open(saved);
    panel.show(editor.chosen, true);
    changed(false);
  }

  function formOf(xml) {
    const form = new FormData();
    const files = model ? model.files.with(place, xml) : [xml];
    files.forEach((text, number) => form.append("bpmn", new File([text], `${number}.bpmn`), `${model?.key ?? "model"}${number ? `-${number + 1}` : ""}.bpmn`));
    if (model) form.append("name", model.name);
    if (model?.parameterTemplate) form.append("parameterTemplate", JSON.stringify(model.parameterTemplate));
    if (model?.outputsTemplate) form.append("outputsTemplate", JSON.stringify(model.outputsTemplate));
    return form;
  }

  async function save() {
    fill(trouble);
    clearTimeout(timer);
    try {
      const xml = await editor.xml();
      const was = model;
      model = { ...model, ...(await upload(model ? "PUT" : "POST", model ? `model/${model.modelId}` : "model", formOf(xml))) };
      model.files ??= was ? was.files.with(place, xml) : [xml];
      localStorage.removeItem(keep);
      saved = xml;
      state.textContent = t("edit.saved");
      toast(t("saved", { name: model.name }));
      if (was === null) {
        keep = `riverstone.draft.${model.modelId}`;
        history.replaceState(null, "", to("edit", model.modelId));
      }
      return true;
    } catch (problem) {
      fill(trouble, problemBox(problem));
      if (problem.findings?.length) { show(problem.findings); opened(true); }
      return false;
    }
  }

  async function deploy() {
    if (!(await save())) return;
    try {
      newest = await post(`model/${model.modelId}/deployment`);
      state.textContent = `v${newest.version}`;
      toast(t("deployed", { name: model.name, version: newest.version }));
    } catch (problem) {
      fill(trouble, problemBox(problem));
    }
  }

  async function tryIt() {
    if (await save()) go(to("start", null, { modelId: model.modelId }));
  }

  async function download(kind) {
    const text = kind === "svg" ? await editor.svg() : await editor.xml();
    const link = el("a", { href: URL.createObjectURL(new Blob([text], { type: kind === "svg" ? "image/svg+xml" : "application/xml" })), download: `${model?.key ?? "process"}.${kind}` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  async function showDiff() {
    if (!newest) return toast(t("edit.diff.none"));
    const { files } = await get(`deployment/${newest.deploymentId}`);
    const old = files.find((text) => text.includes(`id="${model.key}"`)) ?? files[0];
    const sides = [[old, `v${newest.version}`], [await editor.xml(), t("edit.diff.now")]].map(([xml, label]) => ({ xml, label, diagram: new Diagram({ label }) }));
    const list = el("ul", { class: "diff-list" });
    const shown = ask({ title: t("edit.diff.title", { version: newest.version }), confirm: t("close"), wide: true, content: [el("div", { class: "diff" }, sides.map(({ label, diagram }) => el("section", { class: "panel" }, el("div", { class: "panel-head" }, el("h3", {}, label)), diagram.node))), list], act: async () => true });
    document.querySelector("dialog:last-of-type").classList.add("huge");
    for (const { xml, diagram } of sides) await diagram.show(xml, model.key);
    const moddle = editor.get("moddle");
    const [before, after] = await Promise.all(sides.map(async ({ xml }) => (await moddle.fromXML(xml)).rootElement));
    const found = compare(before, after);
    const kinds = [["removed", found._removed, "failed", [0]], ["added", found._added, "success", [1]], ["changed", found._changed, "missing", [0, 1]], ["moved", found._layoutChanged, "undone", [0, 1]]];
    const looks = [new Map(), new Map()];
    const items = [];
    for (const [kind, entries, colour, on] of kinds) {
      for (const [key, entry] of Object.entries(entries)) {
        for (const side of on) if (!looks[side].has(key)) looks[side].set(key, { classes: [`is-${colour}`], badges: [] });
        if (kind === "moved" && found._changed[key]) continue;
        const attrs = Object.keys(entry.attrs ?? {}).join(", ");
        items.push(el("li", {}, el("span", { class: `badge is-${colour}` }, t(`edit.diff.${kind}`)), el("button", { type: "button", class: "link", onclick: () => sides.forEach(({ diagram }) => { diagram.reach(key); diagram.point(key); }) }, said((entry.model ?? entry).name ?? key)), el("span", { class: "sub" }, el("code", {}, key), attrs)));
      }
    }
    sides.forEach(({ diagram }, side) => diagram.paint(looks[side]));
    fill(list, items.length ? items : el("li", {}, t("edit.diff.same")));
    await shown;
    for (const { diagram } of sides) diagram.close();
  }

  function pressed(event) {
    if (!(event.ctrlKey || event.metaKey) || editor === null) return;
    if (event.key === "s") {
      event.preventDefault();
      save();
    }
    const typing = event.target.matches?.("input, textarea, select, [contenteditable]");
    if (typing) return;
    if (event.key === "z" || event.key === "Z") { event.preventDefault(); event.stopPropagation(); if (event.shiftKey) editor.redo(); else editor.undo(); }
    if (event.key === "y") { event.preventDefault(); event.stopPropagation(); editor.redo(); }
  }
  addEventListener("keydown", pressed, true);

  return {
    close() {
      closed = true;
      clearTimeout(timer);
      removeEventListener("keydown", pressed, true);
      editor?.close();
    },
  };
}

// Drawing a model: the canvas, the shelf of stones, the form of the chosen element, and what the server's checks say.

import { DecisionColumns } from "./decisioncolumns.js";
import { decisionsIn } from "./decisionview.js";
import { ask } from "./dialog.js";
import { Draft, formOf } from "./draft.js";
import { EditBar } from "./editbar.js";
import { EditFindings } from "./editfindings.js";
import { Editor, loadKit } from "./editor.js";
import { Panel } from "./editpanel.js";
import { el, fill, said } from "./element.js";
import { icon } from "./icon.js";
import { t } from "./language.js";
import { box, problemBox, toast } from "./notice.js";
import { go, to } from "./route.js";
import { languageOf } from "./sentences.js";
import { get, getAll, post } from "./server.js";
import { Shelf, shelfOpener } from "./shelf.js";
import { processFile } from "./sources.js";

const LOOK = 400;
const KEEP = 1200;

// On its way while the server says who is there; whoever draws is told if it does not come.
loadKit().catch(() => null);

export function editPage({ main, id, query, client, titled }) {
  const may = client.scopes.length === 0 || client.scopes.includes("deploy");
  const canvas = el("div", { class: "designer-canvas" });
  const findings = new EditFindings();
  const shelf = el("div", { class: "designer-shelf", id: "shelf" });
  const trouble = el("div", { class: "designer-trouble" });
  const heading = el("h1", { tabindex: "-1", class: "designer-title" }, "…");
  const state = el("span", { class: "faint designer-state", role: "status" });
  const bar = new EditBar({
    id,
    parts: [heading, state],
    shelf: shelfOpener(shelf),
    verdict: findings.button,
    undo: () => editor.undo(),
    redo: () => editor.redo(),
    fit: () => editor.fit(),
    find: () => editor.get("searchPad").toggle(),
    differ: () => differ(),
    download,
    discard,
    save: () => save(),
    tryIt,
    deploy,
  });
  const draft = new Draft({ id, who: client.name, name: query.get("key") ?? "", told: kept });
  let editor = null;
  let panel = null;
  let model = null;
  let newest = null;
  let content = null;
  let timers = [];
  let unkept = false;
  let closed = false;

  fill(main, el("div", { class: "studio" }, bar.node, trouble, shelf, canvas, findings.list));
  titled(t("edit.draw"));
  const begun = performance.now();
  if (may) load();
  else fill(trouble, box("info", el("p", {}, t("edit.read.only"))));

  async function load() {
    try {
      const [, templates, stones, found, deployments, { items: decisions }] = await Promise.all([
        loadKit(),
        get("template", { modeler: "camunda7" }),
        get("stone"),
        draft.load(),
        getAll("deployment", {}),
        get("decision", { limit: 500 }),
      ]);
      if (closed) return;
      ({ model } = found);
      if ((found.draft ?? found.model)?.files.every((file) => decisionsIn(file) !== null)) return fill(trouble, onlyDecisions());
      editor = new Editor({ container: canvas, templates, changed, selected: (element) => panel?.show(element) });
      content = await begin(found);
      newest = deployments.find(({ key }) => key === content.key) ?? null;
      const keys = [...new Set(deployments.map(({ key }) => key))];
      const known = { stones, keys, decisions: decisions.map((each) => each.decisionId), columns: new DecisionColumns(decisions) };
      panel = new Panel({ editor, known, content: () => content, contentChanged });
      main.querySelector(".studio").append(panel.node);
      fill(shelf, new Shelf({ editor, templates }).nodes);
      await show();
      if (found.unsent !== null) broughtBack();
      else if (found.draft !== null) resumed(found.draft);
      new ResizeObserver(() => !closed && editor.get("canvas").resized()).observe(canvas);
      canvas.dataset.ready = String(Math.round(performance.now() - begun));
    } catch (problem) {
      fill(trouble, problem.status === 404 ? box("info", el("p", {}, t("edit.gone"))) : problemBox(problem));
    }
  }

  /** A model of decisions alone: there is nothing to be drawn, and its tables are edited where they were made. */
  function onlyDecisions() {
    const link = el("a", { class: "button", href: to("model", id) }, t("edit.decisions.open"));
    return box("info", el("p", {}, t("edit.decisions")), el("p", {}, link));
  }

  /** What is drawn on: what this tab alone has, else the draft, else the saved model, else a blank one. */
  async function begin(found) {
    if (found.unsent !== null) return found.unsent;
    const source = found.draft ?? found.model;
    if (source === null) {
      const key = query.get("key") ?? "process";
      const name = query.get("name") ?? key;
      return { key, name, files: [await editor.blank(key, name)], place: 0, parameterTemplate: null, outputsTemplate: null };
    }
    const { key, name, files, parameterTemplate, outputsTemplate } = source;
    return { key, name, files, place: processFile(files, key), parameterTemplate, outputsTemplate };
  }

  async function show() {
    const xml = content.files[content.place];
    const dropped = await editor.open(xml);
    fill(heading, said(content.name || content.key || t("edit.new")));
    titled(content.name || t("edit.draw"));
    panel.show(editor.chosen, true);
    bar.ready();
    unkept = false;
    if (dropped.length > 0) tellDropped(dropped);
    else if (/<!--|<!\[CDATA\[/.test(xml)) fill(trouble, box("info", el("p", {}, t("edit.comments"))));
    changed(false);
    editor.get("canvas").focus?.();
  }

  /** Show what is stored in place of what is drawn. */
  async function loadAgain() {
    fill(trouble);
    content = await begin(await draft.load());
    await show();
  }

  /** What of the file cannot be drawn is not in what is saved from here: said before anything is lost. */
  function tellDropped(warnings) {
    const lines = warnings.slice(0, 5).map(({ message }) => el("li", { lang: "en" }, said(message)));
    fill(trouble, box("warning", el("p", {}, t("edit.dropped")), el("ul", {}, lines)));
  }

  function resumed({ who, updateTime, outdated }) {
    const text = t(outdated ? "edit.resumed.outdated" : "edit.resumed", { who: who ?? "?", time: updateTime });
    trouble.prepend(box(outdated ? "warning" : "info", el("p", {}, text)));
    state.textContent = t("edit.kept");
  }

  /** The server did not get it: a session had ended, a network failed, or the page was loaded anew. */
  function broughtBack() {
    trouble.prepend(box("info", el("p", {}, t("edit.brought"))));
    changed();
  }

  // -- what changes

  function changed(edited = true) {
    unkept ||= edited;
    bar.follow(editor.get("commandStack"));
    timers.forEach(clearTimeout);
    timers = [setTimeout(look, edited ? LOOK : 0), ...(unkept ? [setTimeout(keep, draft.id === null ? 0 : KEEP)] : [])];
    if (edited) state.textContent = t("edit.unsaved");
    else if (draft.revision === null) state.textContent = newest ? `v${newest.version}` : "";
  }

  function contentChanged(change) {
    content = { ...content, ...change };
    if ("name" in change) fill(heading, said(content.name || content.key));
    changed();
  }

  /** The model as it is drawn now. */
  async function drawn() {
    const xml = await editor.xml();
    content = { ...content, files: content.files.with(content.place, xml) };
    return content;
  }

  async function keep() {
    timers.forEach(clearTimeout);
    if (closed) return;
    unkept = false;
    await draft.write(await drawn());
  }

  /** Whoever looks at something else may not come back. */
  function left() {
    settle();
    if (unkept) keep();
  }

  /** Take over what was typed last, which waits for the rest of its word. */
  function settle() {
    panel?.form?.settle();
    editor?.settle();
  }

  function kept(how, told) {
    if (closed) return;
    if (how === "keeping") state.textContent = t("edit.keeping");
    if (how === "kept") {
      state.textContent = t("edit.kept");
      if (id !== told.modelId) {
        id = told.modelId;
        history.replaceState(null, "", to("edit", id));
      }
    }
    if (how === "lost") state.textContent = t("edit.lost", { reason: told.message });
    if (how === "taken") taken(told);
  }

  /** Somebody else has drawn on meanwhile: theirs or mine, but never by accident. */
  function taken(problem) {
    state.textContent = t("edit.taken");
    const theirs = () => {
      Object.assign(draft, { next: null, stopped: false });
      draft.forget();
      return loadAgain();
    };
    const mine = async () => {
      fill(trouble);
      await draft.takeOver();
    };
    fill(trouble, box("warning", el("p", { lang: languageOf(problem.message) }, problem.message), el("p", { class: "row" },
      el("button", { type: "button", onclick: theirs }, t("edit.taken.theirs")),
      el("button", { type: "button", onclick: mine }, t("edit.taken.mine")))));
  }

  // -- what the checks say

  async function look() {
    const form = formOf(await drawn());
    form.delete("name");
    if (!closed) await findings.ask(form, editor);
  }

  // -- what is done with it

  async function save(replace = false) {
    fill(trouble);
    try {
      await keep();
      if (!(await draft.settled())) return false;
      if (draft.revision !== null) model = await draft.save(replace);
      state.textContent = t("edit.saved");
      toast(t("saved", { name: content.name }));
      return true;
    } catch (problem) {
      refusedToSave(problem);
      return false;
    }
  }

  function refusedToSave(problem) {
    const ways = {
      "key-changed": [["edit.save.new", saveAsNew]],
      "model-changed": [["edit.diff", () => differ(true)], ["edit.save.mine", () => save(true)]],
    };
    const buttons = (ways[problem.code] ?? []).map(([text, act]) => el("button", { type: "button", onclick: act }, t(text)));
    fill(trouble, problemBox(problem), buttons.length > 0 && el("p", { class: "row" }, buttons));
    if (problem.findings.length > 0) {
      findings.tell(problem.findings, editor);
      findings.open(true);
    }
  }

  /** What is drawn has another key, so it is another model; this one stays as it was saved. */
  async function saveAsNew() {
    const mine = await drawn();
    unkept = false;
    await draft.discard();
    Object.assign(draft, { id: null, revision: null, stopped: false });
    await draft.write({ ...mine, key: editor.key });
    content = { ...content, key: editor.key };
    newest = null;
    await save();
  }

  async function deploy() {
    if (!(await save())) return;
    try {
      newest = await post(`model/${draft.id}/deployment`);
      state.textContent = `v${newest.version}`;
      const start = client.scopes.length === 0 || client.scopes.includes("run");
      const way = el("a", { class: "button", href: to("start", null, { key: newest.key }) }, icon("play"), t("nav.start"));
      const told = el("p", {}, t("deployed", { name: content.name, version: newest.version }));
      fill(trouble, el("div", { role: "status" }, box("success", told, start && el("p", { class: "row" }, way))));
    } catch (problem) {
      fill(trouble, problemBox(problem));
    }
  }

  async function tryIt() {
    if (await save()) go(to("start", null, { modelId: draft.id }));
  }

  async function discard() {
    const content = el("p", {}, t("edit.discard.text"));
    if ((await ask({ title: t("edit.discard.title"), confirm: t("edit.discard"), danger: true, content, act: async () => true })) === null) return;
    timers.forEach(clearTimeout);
    unkept = false;
    await draft.settled();
    const isNew = draft.revision !== null && model === null;
    await draft.discard();
    if (isNew || draft.id === null) return go(to("models"));
    return loadAgain();
  }

  async function download(kind) {
    const made = { bpmn: () => editor.xml(), svg: () => editor.svg(), png: () => editor.png() };
    const types = { bpmn: "application/xml", svg: "image/svg+xml", png: "image/png" };
    const url = URL.createObjectURL(new Blob([await made[kind]()], { type: types[kind] }));
    el("a", { href: url, download: `${content.key || "process"}.${kind}` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  }

  /** What has changed since the newest version, or since somebody else has saved. */
  async function differ(saved = false) {
    if (!saved && !newest) return toast(t("edit.diff.none"));
    const { files } = saved ? await get(`model/${draft.id}`) : await get(`deployment/${newest.deploymentId}`);
    const label = saved ? t("edit.diff.saved") : `v${newest.version}`;
    // It draws with the viewer, which nobody needs for drawing.
    const { showComparison } = await import("./comparison.js");
    return showComparison({
      title: saved ? t("edit.diff.saved") : t("edit.diff.title", { version: newest.version }),
      before: { xml: files[processFile(files, content.key)], label },
      after: { xml: await editor.xml(), label: t("edit.diff.now") },
      key: content.key,
      moddle: editor.get("moddle"),
    });
  }

  function pressed(event) {
    if (!(event.ctrlKey || event.metaKey) || content === null) return;
    // A new element's label is open at once: what takes the element away is then its undo.
    const typing = event.target.matches?.("input, textarea, select, [contenteditable]") && !editor.isUntouched;
    const acts = { s: () => save() };
    if (!typing) Object.assign(acts, { z: () => editor.undo(), Z: () => editor.redo(), y: () => editor.redo() });
    const act = acts[event.shiftKey && event.key === "z" ? "Z" : event.key];
    if (act === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  }

  function leaving(event) {
    if (draft.isBehind) event.preventDefault();
  }
  addEventListener("keydown", pressed, true);
  addEventListener("beforeunload", leaving);
  addEventListener("pagehide", left);
  document.addEventListener("visibilitychange", left);

  return {
    close() {
      settle();
      if (unkept) drawn().then((now) => draft.write(now)).finally(() => editor.close());
      else editor?.close();
      closed = true;
      timers.forEach(clearTimeout);
      removeEventListener("keydown", pressed, true);
      removeEventListener("beforeunload", leaving);
      removeEventListener("pagehide", left);
      document.removeEventListener("visibilitychange", left);
    },
  };
}

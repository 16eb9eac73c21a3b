// Sending BPMN files: as a new model, or in place of one that is there.

import { el, fill, said } from "./element.js";
import { findingList } from "./findings.js";
import { ask } from "./dialog.js";
import { JsonField } from "./jsontext.js";
import { t } from "./language.js";
import { problemBox } from "./notice.js";
import { get, upload } from "./server.js";

/** The id of a form, if the text is one: forms are JSON, and all else is XML. */
function formId(text) {
  try {
    return JSON.parse(text).id ?? null;
  } catch {
    return null;
  }
}

async function idsOf(files) {
  return Promise.all(files.map(async (file) => formId(await file.text())));
}

async function allForms(files) {
  return (await idsOf(files)).every((id) => id !== null);
}

/** Forms come to the files that a model has, in place of those with the same id. */
async function keptBeside(model, forms) {
  const replaced = await idsOf(forms);
  const named = model.files.map((text, place) => [text, `${model.key}${place ? `-${place + 1}` : ""}.bpmn`]);
  return named.filter(([text]) => formId(text) === null || !replaced.includes(formId(text))).map(([text, name]) => new File([text], name));
}

/**
 * Ask for files and templates and send them; `model` is the one to replace. Resolves with the saved model, with the
 * draft (`isDraft`) where the checks refuse them, or with null.
 */
export function askForFiles({ model = null, given = [] } = {}) {
  const files = el("input", {
    id: "files",
    type: "file",
    multiple: true,
    accept: ".bpmn,.dmn,.form,.xml,application/xml",
    "aria-describedby": "files-hint",
  });
  const names = el("ul", { class: "files" });
  const name = el("input", {
    id: "model-name",
    type: "text",
    maxlength: 255,
    value: model?.name ?? "",
    autocomplete: "off",
  });
  const parameters = new JsonField({
    label: t("template.parameters"),
    kind: "array",
    rows: 6,
    hint: t("template.parameters.hint"),
  });
  const outputs = new JsonField({
    label: t("template.outputs"),
    kind: "array",
    rows: 4,
    hint: t("template.outputs.hint"),
  });
  const result = el("div", { class: "stack" });
  let chosen = [...given];
  if (model?.parameterTemplate) parameters.value = model.parameterTemplate;
  if (model?.outputsTemplate) outputs.value = model.outputsTemplate;

  function listed() {
    fill(
      names,
      chosen.map((file) => el("li", {}, said(file.name))),
    );
  }
  files.addEventListener("change", () => {
    chosen = [...files.files];
    listed();
  });
  listed();

  async function send() {
    fill(result);
    if (!parameters.check() || !outputs.check()) return false;
    const form = new FormData();
    const kept = model === null || !(await allForms(chosen)) ? [] : await keptBeside(model, chosen);
    const sent = [...kept, ...chosen];
    if (sent.length === 0) throw new Error(t("upload.missing"));
    for (const file of sent) form.append("bpmn", file, file.name);
    if (name.value.trim()) form.append("name", name.value.trim());
    if (parameters.text) form.append("parameterTemplate", parameters.text);
    if (outputs.text) form.append("outputsTemplate", outputs.text);
    try {
      return await upload(model === null ? "POST" : "PUT", model === null ? "model" : `model/${model.modelId}`, form);
    } catch (problem) {
      if (problem.code === "model-invalid" && sent.some((file) => !file.name.endsWith(".dmn"))) return asDraft(form);
      fill(result, problemBox(problem), problem.findings?.length ? findingList(problem.findings) : null);
      result.scrollIntoView({ block: "nearest" });
      return false;
    }
  }

  /** What has errors is kept as a draft, and shown where it can be mended. */
  async function asDraft(form) {
    const path = model === null ? "draft" : `model/${model.modelId}/draft`;
    const before = model === null ? null : await get(path).catch(() => null);
    const draft = await upload(model === null ? "POST" : "PUT", path, form, before?.revision);
    return { ...draft, isDraft: true };
  }

  return ask({
    title: t(model === null ? "upload.title" : "upload.replace", { name: model?.name ?? "" }),
    confirm: t(model === null ? "upload.do" : "save"),
    wide: true,
    content: [
      el(
        "div",
        { class: "field" },
        el("label", { for: "files" }, t("upload.files")),
        files,
        el("p", { class: "hint", id: "files-hint" }, t(model === null ? "upload.files.hint" : "upload.files.kept")),
        names,
      ),
      el("div", { class: "field" }, el("label", { for: "model-name" }, t("upload.name")), name),
      el(
        "details",
        { open: model !== null && Boolean(model.parameterTemplate || model.outputsTemplate) },
        el("summary", {}, t("upload.templates")),
        parameters.node,
        outputs.node,
      ),
      result,
    ],
    act: send,
  });
}

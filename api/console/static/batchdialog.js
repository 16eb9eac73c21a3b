// The same for all processes that a search finds: what would be done is shown before.

import { el, fill, said } from "./element.js";
import { ask } from "./dialog.js";
import { counted, t } from "./language.js";
import { problemBox } from "./notice.js";
import { get, getAll, post } from "./server.js";

export const ACTIONS = ["retry", "rollback", "cancel", "delete", "rewind", "migrate", "suspend", "unsuspend", "retain"];
const MOST_SHOWN = 20;

/** Tasks that have much in common, the commonest first. */
export function groupTable(groups) {
  return el(
    "table",
    { class: "list" },
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        ["tasks", "element", "stone", "reason"].map((name) => el("th", { scope: "col" }, t(`group.${name}`))),
      ),
    ),
    el(
      "tbody",
      {},
      groups
        .slice(0, MOST_SHOWN)
        .map((group) =>
          el(
            "tr",
            {},
            el("td", { "data-label": t("group.tasks") }, `${group.tasks}`),
            el("td", {}, said(group.elementId)),
            el("td", {}, said(group.stone ?? "")),
            el("td", {}, said(group.reason ?? "")),
          ),
        ),
    ),
  );
}

function field(id, label, input, hint = null) {
  input.id = id;
  if (hint !== null) input.setAttribute("aria-describedby", `${id}-hint`);
  return el(
    "div",
    { class: "field" },
    el("label", { for: id }, label),
    input,
    hint !== null && el("p", { class: "hint", id: `${id}-hint` }, hint),
  );
}

/** A choice of versions, of the key that is searched for or of all. */
function versionChoice(key, changed) {
  const select = el("select", { onchange: changed }, el("option", { value: "" }, t("choose")));
  getAll("deployment", { key })
    .then((found) => found.filter((each) => !key || each.key === key))
    .then((found) => select.append(...found.map(({ deploymentId, key: each, version, createTime }) =>
      el("option", { value: deploymentId }, `${each} · v${version} · ${createTime}`))))
    .catch((problem) => select.after(problemBox(problem)));
  return select;
}

/** Ask what is to be done for all of them; resolves with the batch that was started, or null. */
export async function askForAll(query) {
  const action = el(
    "select",
    { onchange: () => look() },
    ACTIONS.map((key) => el("option", { value: key }, t(`batch.action.${key}`))),
  );
  const element = el("input", { type: "text", maxlength: 255, onchange: () => look() });
  const version = versionChoice(query.key, () => look());
  const versionField = field("batch-version", t("batch.version"), version);
  const rate = el("input", { type: "number", min: "0.001", max: "10000", step: "any" });
  const elementField = field("batch-element", t("batch.element"), element, "");
  const elementHint = elementField.querySelector(".hint");
  const plan = el("div", { "aria-live": "polite" });
  let latest = 0;

  async function look() {
    const turn = ++latest;
    elementField.hidden = !["retry", "rewind"].includes(action.value);
    elementHint.textContent = action.value === "retry" ? t("batch.element.any") : "";
    versionField.hidden = !["migrate", "rewind"].includes(action.value);
    if (action.value === "migrate" && !version.value.trim()) return fill(plan, el("p", {}, t("batch.version.needed")));
    if (action.value === "rewind" && !element.value.trim()) return fill(plan, el("p", {}, t("batch.element.needed")));
    try {
      const found = await get("batch/preview", { ...query, action: action.value, elementId: elementId(), deploymentId: deploymentId() });
      if (turn !== latest) return;
      fill(
        plan,
        el("p", {}, counted("batch.plan", found.processes), " ", counted("batch.plan.tasks", found.tasks)),
        found.partial && el("p", { class: "hint" }, t("batch.partial")),
        found.groups.length > 0 && groupTable(found.groups),
      );
    } catch (problem) {
      if (turn === latest) fill(plan, problemBox(problem));
    }
  }

  function elementId() {
    return elementField.hidden ? null : element.value.trim() || null;
  }

  function deploymentId() {
    return versionField.hidden ? null : version.value.trim() || null;
  }

  look();
  return ask({
    title: t("batch.title"),
    confirm: t("batch.do"),
    danger: true,
    wide: true,
    content: [
      el("p", {}, t("batch.text")),
      field("batch-action", t("batch.action"), action),
      elementField,
      versionField,
      field("batch-rate", t("batch.rate"), rate, t("batch.rate.hint")),
      plan,
    ],
    act: () =>
      post(
        "batch",
        {
          action: action.value,
          elementId: elementId(),
          deploymentId: deploymentId(),
          rate: rate.value === "" ? null : Number(rate.value),
        },
        query,
      ),
  });
}

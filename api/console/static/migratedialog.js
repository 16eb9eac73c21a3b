// Moving a process to another version of its model: what would come of it is shown before anything is moved.

import { ask } from "./dialog.js";
import { el, fill, said } from "./element.js";
import { t } from "./language.js";
import { box, problemBox } from "./notice.js";
import { languageOf } from "./sentences.js";
import { get, getAll, post, put } from "./server.js";

/** Ask to which version; resolves with the process, or null. */
export async function askToMigrate(process) {
  const id = process.processInstanceId;
  const versions = (await getAll("deployment", { key: process.key })).filter(({ key }) => key === process.key);
  const plan = el("div", { class: "stack", "aria-live": "polite" });
  const choice = el(
    "select",
    { id: "migrate-version", onchange: () => look() },
    versions.map(({ deploymentId, version, createTime }) => el("option", { value: deploymentId }, `v${version} · ${createTime}`)),
  );
  const mapping = new Map();
  let elements = [];

  const body = () => ({ deploymentId: choice.value, mapping: Object.fromEntries(mapping) });

  async function look() {
    mapping.clear();
    const { files } = await get(`deployment/${choice.value}`);
    elements = files.flatMap(elementsOf);
    await show();
  }

  async function show() {
    try {
      const found = await post(`process/${id}/migrate`, body());
      fill(plan, ...shown(found));
    } catch (problem) {
      fill(plan, problemBox(problem));
    }
  }

  function shown({ moves, findings, dropped, timers, running }) {
    const against = Object.entries(findings);
    const lines = Object.entries(moves).map(([from, to]) => el("li", {}, said(from), from !== to && [" → ", said(to)]));
    return [
      against.length > 0
        ? box("failed", el("p", {}, t("migrate.against")), el("ul", {}, against.map(([element, text]) => obstacle(element, text))))
        : box("success", el("p", {}, t("migrate.fits"))),
      lines.length > 0 && [el("h3", {}, t("migrate.moves")), el("ul", { class: "plain" }, lines)],
      dropped.length > 0 && el("p", {}, t("migrate.dropped", { events: dropped.join(", ") })),
      timers.map(({ elementId, before, after }) =>
        el("p", {}, t("migrate.timer", { element: elementId, before: before ?? "–", after: after ?? "–" })),
      ),
      running.length > 0 && el("p", {}, t("migrate.running", { tasks: running.join(", ") })),
    ];
  }

  /** What stands against it at one element, and which element of the other version may take its place. */
  function obstacle(element, text) {
    const chosen = (event) => {
      if (event.target.value) mapping.set(element, event.target.value);
      else mapping.delete(element);
      show();
    };
    const options = elements.map(({ id: key, name }) => el("option", { value: key, selected: mapping.get(element) === key }, name || key));
    return el(
      "li",
      {},
      el("p", { lang: languageOf(text) }, said(text)),
      el(
        "label",
        { class: "inline" },
        t("migrate.instead", { element }),
        el("select", { onchange: chosen }, el("option", { value: "" }, t("choose")), options),
      ),
    );
  }

  if (versions.length > 0) await look();
  return ask({
    title: t("migrate.title", { name: process.processName }),
    confirm: t("migrate.do"),
    wide: true,
    content: [
      el("p", {}, t("migrate.text")),
      el("div", { class: "field" }, el("label", { for: "migrate-version" }, t("version")), choice),
      plan,
    ],
    act: () => put(`process/${id}/migrate`, { ...body(), timeout: 10 }),
  });
}

/** The nodes of a file, for a choice. */
function elementsOf(text) {
  const nodes = new DOMParser().parseFromString(text, "application/xml").querySelectorAll("process *[id]");
  return [...nodes]
    .filter(({ localName }) => /(task|event|gateway|subprocess|activity|transaction)$/i.test(localName))
    .map((node) => ({ id: node.getAttribute("id"), name: node.getAttribute("name") }));
}

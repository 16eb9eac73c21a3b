// To which version of its model a process is moved, and which elements there take the place of others.

import { el, said } from "./element.js";
import { t } from "./language.js";
import { box } from "./notice.js";
import { languageOf } from "./sentences.js";
import { get, getAll } from "./server.js";

export class VersionChoice {
  #mapping = new Map();
  #elements = [];

  /** `changed` is called when another choice was made; `none` names the choice of no version, where that is one. */
  constructor(versions, { label, changed, none = null }) {
    this.changed = changed;
    this.count = versions.length;
    this.select = el(
      "select",
      { id: "migrate-version", onchange: () => this.choose() },
      none !== null && el("option", { value: "" }, none),
      versions.map(({ deploymentId, version, createTime }) => el("option", { value: deploymentId }, `v${version} · ${createTime}`)),
    );
    this.node = el("div", { class: "field" }, el("label", { for: "migrate-version" }, label), this.select);
  }

  /** All versions of the key of a process. */
  static async of(process, options) {
    const found = await getAll("deployment", { key: process.key });
    return new VersionChoice(found.filter(({ key }) => key === process.key), options);
  }

  /** What a request says of it. */
  get body() {
    return this.select.value === "" ? {} : { deploymentId: this.select.value, mapping: Object.fromEntries(this.#mapping) };
  }

  /** The same as a query. */
  get query() {
    const { deploymentId = null, mapping = {} } = this.body;
    return { deploymentId, map: Object.entries(mapping).map((pair) => pair.join("=")) };
  }

  async choose() {
    this.#mapping.clear();
    this.#elements = [];
    if (this.select.value !== "") {
      const { files } = await get(`deployment/${this.select.value}`);
      this.#elements = files.flatMap(elementsOf);
    }
    await this.changed();
  }

  /** What a move would do, and what stands against it. */
  shown({ moves, findings, dropped, timers, running }) {
    const against = Object.entries(findings);
    const lines = Object.entries(moves).map(([from, to]) => el("li", {}, said(from), from !== to && [" → ", said(to)]));
    return [
      against.length > 0
        ? box("failed", el("p", {}, t("migrate.against")), el("ul", {}, against.map(([element, text]) => this.#obstacle(element, text))))
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
  #obstacle(element, text) {
    const chosen = (event) => {
      if (event.target.value) this.#mapping.set(element, event.target.value);
      else this.#mapping.delete(element);
      this.changed();
    };
    const options = this.#elements.map(({ id: key, name }) =>
      el("option", { value: key, selected: this.#mapping.get(element) === key }, name || key),
    );
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
}

/** The nodes of a file, for a choice. */
function elementsOf(text) {
  const nodes = new DOMParser().parseFromString(text, "application/xml").querySelectorAll("process *[id]");
  return [...nodes]
    .filter(({ localName }) => /(task|event|gateway|subprocess|activity|transaction)$/i.test(localName))
    .map((node) => ({ id: node.getAttribute("id"), name: node.getAttribute("name") }));
}

// The table of the decision that a task asks, to read beside the task.

import { decisionsIn, DecisionView } from "./decisionview.js";
import { el, fill } from "./element.js";
import { t } from "./language.js";
import { problemBox } from "./notice.js";
import { get } from "./server.js";

const MOST = 500;

/** The id of the decision that a task of a diagram asks; null for one that asks none, or that only runs know. */
export function decisionOf({ $attrs = {}, extensionElements }) {
  const called = extensionElements?.values?.find(({ $type }) => $type === "zeebe:calledDecision")?.decisionId;
  const id = $attrs["camunda:decisionRef"] ?? called ?? null;
  return id === null || /^=|[$#]\{/.test(id) ? null : id;
}

export class DecisionTable {
  constructor() {
    this.view = new DecisionView();
    this.trouble = el("div");
    this.node = el("section", { class: "decided", hidden: true, "aria-label": t("decision.table") }, this.trouble, this.view.node);
    this.latest = null;
  }

  /** Show that of this id: of these files if one holds it, else of its newest version; nothing for null. */
  async show(id, files = []) {
    this.latest = id;
    this.node.hidden = true;
    fill(this.trouble);
    if (id === null) return;
    try {
      const within = files.map(decisionsIn).filter((root) => root !== null);
      const roots = this.view.showOne(within, id) ? [] : await deployed(id);
      if (this.latest !== id) return;
      this.node.hidden = roots.length > 0 && !this.view.showOne(roots, id);
    } catch (problem) {
      if (this.latest !== id) return;
      fill(this.trouble, problemBox(problem));
      this.node.hidden = false;
    }
  }
}

async function deployed(id) {
  let cursor = null;
  do {
    const part = await get("decision", { limit: MOST, cursor });
    const found = part.items.find(({ decisionId }) => decisionId === id);
    if (found !== undefined) return (await get(`deployment/${found.deploymentId}`)).files.map(decisionsIn).filter((root) => root !== null);
    ({ cursor } = part);
  } while (cursor !== null);
  return [];
}

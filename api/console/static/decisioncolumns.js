// The columns of the tables of deployed decisions, read from their files when somebody may name one.

import { get } from "./server.js";

export class DecisionColumns {
  /** `decisions` are those that are deployed. */
  constructor(decisions) {
    this.deployments = new Map(decisions.map(({ decisionId, deploymentId }) => [decisionId, deploymentId]));
    this.columns = new Map();
  }

  /** The outputs of a decision's table; empty until they were read, and for what has no table. */
  of(decisionId) {
    if (!this.columns.has(decisionId) && this.deployments.has(decisionId)) {
      this.columns.set(decisionId, []);
      this.#read(decisionId).catch(() => this.columns.delete(decisionId));
    }
    return this.columns.get(decisionId) ?? [];
  }

  async #read(decisionId) {
    const { files } = await get(`deployment/${this.deployments.get(decisionId)}`);
    for (const file of files) {
      const { documentElement: root } = new DOMParser().parseFromString(file, "application/xml");
      const decision = [...root.children].find((child) => child.localName === "decision" && child.id === decisionId);
      if (decision === undefined) continue;
      const outputs = decision.getElementsByTagNameNS("*", "output");
      this.columns.set(decisionId, [...outputs].map((output) => output.getAttribute("name")).filter(Boolean));
    }
  }
}

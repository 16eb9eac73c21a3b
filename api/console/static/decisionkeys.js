// Which keys belong to decisions alone: there is nothing to be drawn or started.

import { decisionsIn } from "./decisionview.js";
import { get, getAll } from "./server.js";

/** The keys of deployments that hold decisions and no process. */
export async function keysOfTables() {
  const holders = new Set((await getAll("decision", {})).map(({ deploymentId }) => deploymentId));
  const found = await Promise.all([...holders].map((deploymentId) => get(`deployment/${deploymentId}`)));
  return new Set(found.filter(({ files }) => files.every((file) => decisionsIn(file) !== null)).map(({ key }) => key));
}

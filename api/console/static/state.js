// In which state a process, a task or an element of a diagram is, in the few words that have a colour and a sign.

/** From the most to the least pressing: an element that stands for several tasks shows the first. */
export const STATES = [
  "failed",
  "missing",
  "paused",
  "running",
  "undoing",
  "person",
  "waiting",
  "retained",
  "success",
  "undone",
  "canceled",
];

/** The state of a process instance. */
export function ofProcess({ processStatus, paused, awaits, kept }) {
  if (paused || awaits === "suspended") return "paused";
  if (processStatus === "running" || processStatus === "debug") return STANDING[awaits] ?? "running";
  if (processStatus.endsWith(".begin")) return "undoing";
  if (processStatus === "success") return "success";
  if (!processStatus.endsWith(".success")) return "failed";
  return kept > 0 ? "retained" : "undone";
}

const STANDING = { attention: "paused", person: "person", event: "waiting", stone: "waiting", quota: "waiting" };

/** The state of a task, without what became of its results later. */
export function ofTask(task) {
  if (task.endTime === null) {
    if (task.status === "stone-missing") return "missing";
    if (task.status === "suspended") return "paused";
    if (task.status === "queued") return "waiting";
    if (task.stone === null) return "person";
    if (task.kind !== "start") return "undoing";
    return task.status === "produce.success" ? "waiting" : "running";
  }
  if (task.status.endsWith("failed")) return "failed";
  // An undo that had nothing to call: it has passed over the task, in a cancel as `canceled`.
  if (task.status.endsWith(".retained") || task.status.endsWith(".skipped") || (task.status === "canceled" && task.kind === "cancel")) return "retained";
  return task.status === "canceled" ? "canceled" : "success";
}

const UNDO = { undone: "undone", left: "failed", retained: "retained", failed: "failed" };

/** What became of a task's results: `undone`, `retained`, `failed`, or null while they are kept. */
export function ofResults(task) {
  return UNDO[task.undo] ?? null;
}

/** What a task shows of the two: where it failed is to be seen after it was undone, too. */
export function shownState(task) {
  const state = ofTask(task);
  return state === "failed" ? state : (ofResults(task) ?? state);
}

/** Whether anything more may come of a process by itself. */
export function moves({ processStatus, paused }) {
  return !paused && (processStatus === "running" || processStatus === "debug" || processStatus.endsWith(".begin"));
}

/** The undo of a process that has failed and can go on: its kind, or null. */
export function failedUndo({ kind, processStatus }) {
  const [undo, state] = processStatus.split(".");
  return kind === "start" && state === "failed" ? undo : null;
}

/** The undo instances of a process: `[kind, id]`, in the order in which they may come. */
export function undosOf(process) {
  return ["rewind", "rollback", "cancel", "delete"]
    .map((kind) => [kind, process[`${kind}ProcessInstanceId`]])
    .filter(([, id]) => id !== null && id !== undefined);
}

/** The namespace of a task with the numbers of the runs that it is inside of: `server[2]`. */
export function inRuns({ namespace, runs }) {
  return namespace + runs.map((number) => `[${number}]`).join("");
}

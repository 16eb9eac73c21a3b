// A worker of Camunda 7 with the client of its makers: what it gets and what came of it, a line of JSON each.

import { existsSync } from "node:fs";

import { BasicAuthInterceptor, Client, File, Variables } from "camunda-external-task-client-js";

const [baseUrl, password, ...own] = process.argv.slice(2);
const say = (what) => console.log(JSON.stringify(what));
const interceptors = password ? new BasicAuthInterceptor({ username: "worker", password }) : undefined;
const client = new Client({ baseUrl, interval: 50, interceptors, ...JSON.parse(own[0] ?? "{}") });

for (const event of ["complete:error", "handleFailure:error", "handleBpmnError:error", "extendLock:error", "poll:error"]) {
  client.on(event, (task, error) => say({ event, status: (error ?? task)?.httpStatusCode, code: (error ?? task)?.code }));
}
client.on("poll:error", (error) => say({ event: "poll:error", message: `${error}` }));

const kinds = async ({ task, taskService }) => {
  const all = task.variables.getAll();
  const file = all.doc;
  await file.load();
  delete all.doc;
  say({ got: all, file: { name: file.filename, type: file.mimetype, text: file.content.toString() } });
  const found = new Variables();
  found.setAll({ text: "größer", whole: 7, real: 1.5, yes: true, none: null, list: [1, { a: 2 }], object: { b: [] } });
  found.set("when", new Date("2026-11-25T10:20:30Z"));
  const back = new File({ localPath: process.argv[1], filename: "back.txt", mimetype: "text/plain" });
  back.content = Buffer.from("back again");
  found.set("back", back);
  const local = new Variables();
  local.set("own", 1);
  await taskService.complete(task, found, local);
};

const handlers = {
  kinds,
  plain: async ({ task, taskService }) => {
    say({ id: task.id, activityInstanceId: task.activityInstanceId, retries: task.retries });
    await taskService.complete(task);
  },
  "plain.rollback": async ({ task, taskService }) => {
    say({ undo: task.id, of: task.activityInstanceId, phase: task.phase });
    await taskService.complete(task);
  },
  flaky: async ({ task, taskService }) => {
    const left = task.retries === undefined || task.retries === null ? 2 : task.retries - 1;
    say({ id: task.id, activityInstanceId: task.activityInstanceId, retries: task.retries ?? null });
    await taskService.handleFailure(task, { errorMessage: "no network", errorDetails: "at x", retries: left, retryTimeout: 50 });
  },
  bounce: async ({ task, taskService }) => {
    const told = new Variables();
    told.set("box", "full");
    await taskService.handleBpmnError(task, "bounced", "no such box", told);
  },
  held: async ({ task, taskService }) => {
    say({ held: task.id, delivery: task.delivery });
    while (!existsSync(process.env.MAY_COMPLETE)) await new Promise((go_on) => setTimeout(go_on, 20));
    await taskService.complete(task, new Variables().set("made", 7));
    say({ completed: task.id });
  },
  keep: async ({ task, taskService }) => {
    await taskService.extendLock(task, 120000);
    await taskService.unlock(task);
    say({ unlocked: task.id });
  },
};
for (const [topic, handler] of Object.entries(handlers)) client.subscribe(topic, { lockDuration: 20000 }, handler);
say({ ready: true });

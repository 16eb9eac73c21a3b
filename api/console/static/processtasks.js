// What is known of the tasks of one process: how many of each element and state, and the rows that are shown.

import { Look } from "./server.js";

/** Up to how many tasks all are fetched; of more they are shown by element, and fetched as one looks at them. */
const FEW = 200;
const PART = 50;
const MOST = 500;

export class ProcessTasks {
  constructor(id) {
    this.path = `process/${id}/task`;
    this.counting = new Look(`${this.path}/count`);
    this.whole = new Look(this.path);
    /** How many tasks are alike in element and state, each entry with what a task says of its state. */
    this.counts = [];
    this.total = 0;
    /** Tasks that were asked for by themselves, each as the look that sees it. */
    this.single = new Map();
    this.parts = new Map();
  }

  /** Whether there are too many to be fetched at once. */
  get many() {
    return this.total > FEW;
  }

  /** All tasks that were fetched. */
  get known() {
    if (!this.many) return this.whole.data ?? [];
    const single = [...this.single.values()].map(({ data }) => data);
    return [...new Map([...single, ...this.rows].map((task) => [task.taskId, task])).values()];
  }

  /** Those of the elements that somebody looks at. */
  get rows() {
    return [...this.parts.values()].flatMap(({ look }) => look.data ?? []);
  }

  /** Look again, also at these tasks by themselves and at no others; whether anything was new. */
  async again(signal, ids = []) {
    const some = await this.counting.again(signal);
    if (some) this.#count();
    if (!this.many) return (await this.whole.again(signal)) || some;
    for (const id of this.single.keys()) if (!ids.includes(id)) this.single.delete(id);
    const looks = [...[...this.parts.values()].map(({ look }) => look), ...this.single.values()];
    for (const id of ids) await this.need(id, signal);
    const seen = await Promise.all(looks.map((look) => look.again(signal)));
    return some || seen.includes(true);
  }

  /** One task, fetched if it is not known. */
  async need(id, signal) {
    const known = this.known.find((task) => task.taskId === id);
    if (known !== undefined) return known;
    const look = new Look(`task/${id}/detail`);
    await look.again(signal);
    this.single.set(id, look);
    return look.data;
  }

  #count() {
    this.counts = this.counting.data.map((each) => ({ ...each, endTime: each.open ? null : "" }));
    this.total = this.counts.reduce((sum, { count }) => sum + count, 0);
  }

  /** The first tasks of an element, in a state if one is chosen; from one on. */
  async open(element, state, from = null) {
    await this.#look(element, { state, from, limit: PART });
  }

  close(element) {
    this.parts.delete(element);
  }

  isOpen(element) {
    return this.parts.has(element);
  }

  /** The rows of an element, whether there are more of them, and whether they begin in the middle. */
  part(element) {
    const { look, limit, from } = this.parts.get(element);
    const rows = look.data ?? [];
    return { rows, more: rows.length === limit && limit < MOST, later: rows.length === MOST, from };
  }

  /** More of an element: a longer part, and from its longest on the next. */
  async more(element) {
    const { state, from, limit, look } = this.parts.get(element);
    if (limit < MOST) await this.#look(element, { state, from, limit: Math.min(MOST, 2 * limit) });
    else await this.#look(element, { state, from: look.data.at(-1).taskId, limit: PART });
  }

  async #look(element, { state, from, limit }) {
    const look = new Look(this.path, { elementId: element, state, after: from, limit });
    await look.again();
    this.parts.set(element, { look, limit, state, from });
  }
}

// What is drawn and not saved yet: kept by the server as one goes, and never over what somebody else has drawn.

import { writeExact } from "./exactjson.js";
import { get, post, Problem, remove, upload } from "./server.js";

const AGAIN = 5000;

/** The files and templates of a model as a form. */
export function formOf({ key, name, files, parameterTemplate, outputsTemplate }) {
  const form = new FormData();
  files.forEach((text, place) => {
    const file = `${key || "model"}${place ? `-${place + 1}` : ""}.bpmn`;
    form.append("bpmn", new File([text], file), file);
  });
  if (name) form.append("name", name);
  if (parameterTemplate) form.append("parameterTemplate", writeExact(parameterTemplate));
  if (outputsTemplate) form.append("outputsTemplate", writeExact(outputsTemplate));
  return form;
}

/** The draft of a model, or null where there is none. */
async function found(path) {
  try {
    return await get(path);
  } catch (problem) {
    if (problem.status === 404) return null;
    throw problem;
  }
}

export class Draft {
  /** `told` hears how it stands: `kept`, `keeping`, `lost` (with the problem) or `taken` (somebody else has written). */
  constructor({ id, told }) {
    this.id = id;
    this.told = told;
    this.revision = null;
    this.next = null;
    this.running = null;
    this.stopped = false;
  }

  get path() {
    return `model/${this.id}/draft`;
  }

  /** The saved model and the draft, each null where there is none. */
  async load() {
    if (this.id === null) return { model: null, draft: null };
    const [model, draft] = await Promise.all([found(`model/${this.id}`), found(this.path)]);
    if (model === null && draft === null) throw new Problem(404, { detail: "", code: "unknown-model" });
    this.revision = draft?.revision ?? null;
    return { model, draft };
  }

  /** Keep this, after what is being kept now; only the last counts. */
  write(content) {
    this.next = content;
    this.running ??= this.#run();
    return this.running;
  }

  async #run() {
    while (this.next !== null && !this.stopped) {
      const content = this.next;
      this.next = null;
      this.told("keeping");
      try {
        const [method, path] = this.id === null ? ["POST", "draft"] : ["PUT", this.path];
        const draft = await upload(method, path, formOf(content), this.revision);
        this.id = draft.modelId;
        this.revision = draft.revision;
        this.told("kept", draft);
      } catch (problem) {
        this.next ??= content;
        if (problem.code === "draft-changed") {
          this.stopped = true;
          this.told("taken", problem);
          break;
        }
        this.told("lost", problem);
        if (!problem.passing) break;
        await new Promise((resolve) => setTimeout(resolve, AGAIN));
      }
    }
    this.running = null;
  }

  /** Wait until all is kept; whether it is. */
  async settled() {
    while (this.running !== null) await this.running;
    return this.next === null;
  }

  get isBehind() {
    return this.next !== null || this.running !== null;
  }

  /** Somebody else has written: write this over it, knowing of it. */
  async takeOver() {
    this.revision = (await found(this.path))?.revision ?? null;
    this.stopped = false;
    if (this.next !== null) await this.write(this.next);
  }

  /** Make it the model. */
  async save(replace = false) {
    const model = await post(`${this.path}/save`, undefined, { replace: replace ? "true" : null }, this.revision);
    this.revision = null;
    return model;
  }

  async discard() {
    this.next = null;
    if (this.revision !== null) await remove(this.path, this.revision);
    this.revision = null;
  }
}

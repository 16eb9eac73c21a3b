// What is drawn and not saved yet: kept by the server as one goes, and never over what somebody else has drawn.
// Until the server has it, this tab keeps it for whoever has drawn it: a session may end, and a network fail.

import { writeExact } from "./exactjson.js";
import { get, post, Problem, remove, upload } from "./server.js";
import { forget, remember, remembered } from "./typed.js";

const AGAIN = 5000;
/** Browsers take 64 KiB, with the frame around it. */
const MOST_KEPT_ALIVE = 60000;

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

/** The draft of the page before, which may still be on its way to the server. */
let before = null;

export class Draft {
  /** `who` draws, and `name` tells a new model from others; `told` hears how it stands: `kept`, `keeping`, `lost` (with the problem) or `taken` (somebody else has written). */
  constructor({ id, who, name, told }) {
    this.id = id;
    this.who = who;
    this.name = name;
    this.told = told;
    this.revision = null;
    this.next = null;
    this.running = null;
    this.sending = null;
    this.stopped = false;
  }

  get path() {
    return `model/${this.id}/draft`;
  }

  /** Where this tab keeps what the server does not have. */
  get place() {
    return `draft ${this.id ?? `of ${this.name}`}`;
  }

  /** The saved model, the draft, and what was drawn last and did not come to the server; each null where there is none. */
  async load() {
    if (before !== this) await before?.#leave();
    before = this;
    const [model, draft] = this.id === null ? [null, null] : await Promise.all([found(`model/${this.id}`), found(this.path)]);
    const { content = null, revision = null } = remembered(this.who, this.place);
    if (this.id !== null && model === null && draft === null && content === null) throw new Problem(404, { detail: "", code: "unknown-model" });
    this.revision = draft?.revision ?? null;
    if (content === null || (draft !== null && same(content, draft))) {
      this.forget();
      return { model, draft, unsent: null };
    }
    // It goes on from what it was drawn on: where that has changed meanwhile, the server says so.
    this.revision = revision;
    return { model, draft, unsent: content };
  }

  /** Keep this in this tab, until the server has it. */
  hold(content) {
    remember(this.who, this.place, { content, revision: this.revision });
  }

  /** What this tab keeps is not wanted any more. */
  forget() {
    forget(this.who, this.place);
  }

  /** Keep this, after what is being kept now; only the last counts. */
  write(content) {
    this.hold(content);
    this.next = content;
    this.running ??= this.#run();
    return this.running;
  }

  /** Another page may go on with what is kept here. */
  async #leave() {
    this.stopped = true;
    await this.sending?.catch(() => null);
  }

  async #run() {
    while (this.next !== null && !this.stopped) {
      const content = this.next;
      this.next = null;
      this.told("keeping");
      try {
        const [method, path] = this.id === null ? ["POST", "draft"] : ["PUT", this.path];
        this.sending = this.#upload(method, path, formOf(content));
        const draft = await this.sending;
        this.forget();
        this.id = draft.modelId;
        this.revision = draft.revision;
        if (this.next !== null) this.hold(this.next);
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

  /** A browser brings it to the server even where the page is left meanwhile, if it is not too large for that. */
  #upload(method, path, form) {
    const size = [...form.values()].reduce((sum, each) => sum + (each.size ?? each.length * 3), 0);
    return upload(method, path, form, this.revision, { keepalive: size < MOST_KEPT_ALIVE });
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
    this.forget();
    if (this.revision !== null) await remove(this.path, this.revision);
    this.revision = null;
  }
}

/** Whether a draft of the server is what was drawn. */
function same(content, draft) {
  const all = ({ files, name, parameterTemplate, outputsTemplate }) => writeExact([files, name, parameterTemplate, outputsTemplate]);
  return all(content) === all(draft);
}

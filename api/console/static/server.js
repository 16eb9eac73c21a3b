// The HTTP calls, the same that anybody may make, and what goes wrong with them.

import { parseAnswer, writeExact } from "./exactjson.js";
import { keyHeader } from "./key.js";
import { t } from "./language.js";
import { GIVEN, inWords } from "./sentences.js";

/** Below which the calls are: the console lies in their folder `console/`. */
export const BASE = new URL("../", document.baseURI);

/** An answer that is no success, or no answer at all (`status` 0). */
export class Problem extends Error {
  constructor(status, content) {
    super(content.detail ?? content.message ?? t("problem.status", { status }));
    this.status = status;
    this.code = content.code ?? "";
    this.errors = content.errors ?? {};
    this.findings = content.findings ?? [];
    this.related = content.relatedProcessInstanceId ?? null;
  }

  /** Whether it may pass by itself. */
  get passing() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

export const refused = new EventTarget();

function address(path, query) {
  const words = path.split("/").map(encodeURIComponent);
  // An id of the page's own address, which anybody can make a link of, would lead to another call than the page means.
  if (words.includes("..") || words.includes(".")) throw new Problem(404, {});
  const url = new URL(words.join("/"), BASE);
  for (const [name, value] of Object.entries(query ?? {})) {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each !== null && each !== undefined && each !== "") url.searchParams.append(name, each);
    }
  }
  return url;
}

async function call(method, path, { query, json, form, etag, match, signal, keepalive, text = false } = {}) {
  // The header by which a session counts: no page of another site can send it here.
  const headers = { Accept: "application/json", "X-Riverstone-CSRF": "1", ...keyHeader() };
  if (etag) headers["If-None-Match"] = etag;
  if (match) headers["If-Match"] = `"${match}"`;
  if (json !== undefined) headers["Content-Type"] = "application/json";
  const body = json !== undefined ? writeExact(json) : form;
  const url = address(path, query);
  let answer;
  try {
    answer = await fetch(url, { method, headers, body, signal, keepalive, credentials: "same-origin" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, { detail: t("problem.unreachable"), code: "unreachable" });
  }
  if (answer.status === 304) return { same: true, data: null, etag };
  if (text && answer.ok) return { same: false, data: await answer.text(), etag: null };
  const content = await inWords(read(await answer.text()));
  if (answer.ok) return { same: false, data: content, etag: answer.headers.get("ETag") };
  const problem = new Problem(answer.status, content);
  if (answer.status === 401) refused.dispatchEvent(new CustomEvent("key", { detail: problem }));
  throw problem;
}

/** Values that people have given keep their numbers as they are written, to be shown so and sent back. */
function read(text) {
  try {
    return parseAnswer(text, GIVEN);
  } catch {
    return {};
  }
}

export async function get(path, query, signal) {
  return (await call("GET", path, { query, signal })).data;
}

/** What is answered as a text that is no JSON. */
export async function getText(path, query, signal) {
  return (await call("GET", path, { query, signal, text: true })).data;
}

/** All items of a list, part by part, but no more than `most`. */
export async function getAll(path, query, most = 5000) {
  const found = [];
  let cursor = null;
  do {
    const part = await get(path, { ...query, limit: 500, cursor });
    found.push(...part.items);
    cursor = part.cursor;
  } while (cursor !== null && found.length < most);
  return found;
}

/** `match` is what was read of what this changes: nothing is done where it is another one by now. */
export async function post(path, json, query, match) {
  return (await call("POST", path, { json, query, match })).data;
}

export async function put(path, json) {
  return (await call("PUT", path, { json })).data;
}

export async function remove(path, match) {
  return (await call("DELETE", path, { match })).data;
}

/** Send a form with files; with `method` PUT it replaces. */
export async function upload(method, path, form, match, { signal, keepalive } = {}) {
  return (await call(method, path, { form, match, signal, keepalive })).data;
}

/** One address that is looked at again and again; what has not changed is not sent again. */
export class Look {
  constructor(path, query) {
    this.path = path;
    this.query = query;
    this.etag = null;
    this.data = null;
  }

  /** Whether there is something new in `data`. */
  async again(signal) {
    const { same, data, etag } = await call("GET", this.path, { query: this.query, etag: this.etag, signal });
    if (same) return false;
    this.data = data;
    this.etag = etag;
    return true;
  }
}

/** Waits on the server until a process or one of its undos has changed. */
export class Change {
  constructor(id) {
    this.path = `process/${id}`;
    this.etag = null;
  }

  /** How it stands now, so that whatever comes after is a change. */
  async begin(signal) {
    this.etag = (await call("GET", this.path, { signal })).etag;
  }

  /** Whether it has changed; false where it has not in `seconds`. */
  async within(seconds, signal) {
    const query = { wait: String(seconds), since: this.etag };
    const { same, etag } = await call("GET", this.path, { query, signal });
    if (!same) this.etag = etag;
    return !same;
  }
}

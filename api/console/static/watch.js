// Looking again and again, as long as somebody looks at the page.

const LONGEST = 15_000;
const WAIT = 25;

/**
 * Calls `look` (async, given an AbortSignal) at once and then again after `interval()` milliseconds; never two at once,
 * not while the page is hidden, less often when the server is slow or down. `trouble` is told each problem, then null.
 * With a `change` that the server tells of (see server.js), it looks when there is one and not by the clock.
 */
export class Watch {
  constructor(look, { interval, trouble, change = null }) {
    this.look = look;
    this.interval = interval;
    this.change = change;
    this.waiting = null;
    this.trouble = trouble;
    this.failures = 0;
    this.timer = null;
    this.ending = new AbortController();
    this.running = null;
    document.addEventListener("visibilitychange", () => this.#seen(), { signal: this.ending.signal });
    this.now();
  }

  /** Look at once; resolves when that is done. */
  now() {
    if (this.ending.signal.aborted) return Promise.resolve();
    clearTimeout(this.timer);
    this.waiting?.abort();
    this.running = (this.running ?? Promise.resolve()).then(() => this.#once());
    return this.running;
  }

  stop() {
    this.ending.abort();
    this.waiting?.abort();
    clearTimeout(this.timer);
  }

  async #once() {
    const { signal } = this.ending;
    if (signal.aborted) return;
    clearTimeout(this.timer);
    const began = performance.now();
    try {
      if (this.change !== null && this.change.etag === null) await this.change.begin(signal);
      await this.look(signal);
      if (signal.aborted) return;
      this.failures = 0;
      this.trouble(null);
    } catch (error) {
      if (signal.aborted || error.name === "AbortError") return;
      this.failures += 1;
      this.trouble(error);
      if (error.passing !== true) return;
    }
    if (this.change !== null && this.failures === 0) {
      this.#waitForChange();
      return;
    }
    this.#later(began);
  }

  #later(began) {
    const took = performance.now() - began;
    const pause = Math.max(this.interval() * 2 ** Math.min(this.failures, 4), 3 * took);
    this.timer = setTimeout(() => document.hidden || this.now(), Math.min(pause, LONGEST));
  }

  /** A browser has few connections to one server for all its pages: one that nobody sees holds none. */
  #seen() {
    if (document.hidden) this.waiting?.abort();
    else this.now();
  }

  async #waitForChange() {
    if (document.hidden) return;
    const waiting = new AbortController();
    this.waiting = waiting;
    const began = performance.now();
    let changed = false;
    try {
      changed = await this.change.within(WAIT, waiting.signal);
    } catch {
      // Whatever is wrong, the next look tells.
    }
    if (waiting.signal.aborted || this.ending.signal.aborted) return;
    // A server whose threads are taken answers at once.
    if (changed || performance.now() - began > 1000) this.now();
    else this.#later(began);
  }
}

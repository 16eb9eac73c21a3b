// Looking again and again, as long as somebody looks at the page.

const LONGEST = 15_000;

/**
 * Calls `look` (async, given an AbortSignal) at once and then again after `interval()` milliseconds; never two at once,
 * not while the page is hidden, less often when the server is slow or down. `trouble` is told each problem, then null.
 */
export class Watch {
  constructor(look, { interval, trouble }) {
    this.look = look;
    this.interval = interval;
    this.trouble = trouble;
    this.failures = 0;
    this.timer = null;
    this.ending = new AbortController();
    this.running = null;
    document.addEventListener("visibilitychange", () => document.hidden || this.now(), { signal: this.ending.signal });
    this.now();
  }

  /** Look at once; resolves when that is done. */
  now() {
    if (this.ending.signal.aborted) return Promise.resolve();
    clearTimeout(this.timer);
    this.running = (this.running ?? Promise.resolve()).then(() => this.#once());
    return this.running;
  }

  stop() {
    this.ending.abort();
    clearTimeout(this.timer);
  }

  async #once() {
    const { signal } = this.ending;
    if (signal.aborted) return;
    clearTimeout(this.timer);
    const began = performance.now();
    try {
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
    const took = performance.now() - began;
    const pause = Math.max(this.interval() * 2 ** Math.min(this.failures, 4), 3 * took);
    this.timer = setTimeout(() => document.hidden || this.now(), Math.min(pause, LONGEST));
  }
}

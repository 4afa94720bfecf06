const longestTimerMs = 2 ** 31 - 1;

interface Flush {
  readonly upTo: number;
  readonly end: (isDone: boolean) => void;
}

/** Those who wait until everything reported before is answered. */
export class Flushes {
  readonly #flushes = new Set<Flush>();
  #urgentUpTo = 0;

  /** Events with a sequence below this do not wait until their batch is full. */
  get urgentUpTo(): number {
    return this.#urgentUpTo;
  }

  /** Gives true once nothing below `upTo` is left, false at the deadline. */
  add(upTo: number, deadlineMs: number): Promise<boolean> {
    this.#urgentUpTo = Math.max(this.#urgentUpTo, upTo);
    return new Promise((resolve) => {
      const end = (isDone: boolean) => {
        clearTimeout(timer);
        this.#flushes.delete(flush);
        resolve(isDone);
      };
      // The one timer that keeps the host alive: somebody waits for this.
      const timer = setTimeout(() => end(false), Math.min(Math.max(deadlineMs, 0), longestTimerMs));
      const flush = { upTo, end };
      this.#flushes.add(flush);
    });
  }

  /** @param oldest the lowest sequence that is left; undefined when nothing is */
  progress(oldest: number | undefined): void {
    for (const { upTo, end } of this.#flushes) {
      if (oldest === undefined || oldest >= upTo) end(true);
    }
  }
}

/** Time and chance, from outside, so that tests can have their own. */
export interface ReporterClock {
  /** Milliseconds since 1970, by a clock that people set: for events, never for waiting. */
  wallMs(): number;
  /** Milliseconds that only go forward: for all waiting. */
  monotonicMs(): number;
  /** From 0 up to 1. */
  random(): number;
}

export const systemClock: ReporterClock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  random: () => Math.random(),
};

/** Calls back later, without keeping the host alive for it. */
export function later(delayMs: number, action: () => void): () => void {
  const timer: unknown = setTimeout(action, delayMs);
  // In Node a timer is an object that can be let go of; elsewhere it is a number and holds nothing up.
  if (typeof timer === "object" && timer !== null && "unref" in timer && typeof timer.unref === "function") {
    timer.unref();
  }
  return () => clearTimeout(timer as number);
}

/** What a promise gives, or an error when it takes too long or is no longer wanted. */
export async function within<Value>(
  promise: Value | Promise<Value>,
  limitMs: number,
  signal: AbortSignal,
): Promise<Value> {
  let cancel = () => {};
  let giveUp = () => {};
  const end = new Promise<never>((_, reject) => {
    cancel = later(limitMs, () => reject(new Error(`it took longer than ${limitMs} ms`)));
    giveUp = () => reject(signal.reason);
    signal.addEventListener("abort", giveUp, { once: true });
    if (signal.aborted) giveUp();
  });
  try {
    return await Promise.race([promise, end]);
  } finally {
    cancel();
    signal.removeEventListener("abort", giveUp);
  }
}

/** Calls back at the soonest of all the times it was asked for, once. */
export class Alarm {
  readonly #clock: ReporterClock;
  readonly #ring: () => void;
  #dueMs = Number.POSITIVE_INFINITY;
  #cancel: () => void = () => {};

  constructor(clock: ReporterClock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** Cheap when it is to ring before that anyway. */
  setFor(dueMs: number): void {
    if (dueMs >= this.#dueMs) return;
    this.clear();
    this.#dueMs = dueMs;
    // Timers are kept to a day: longer ones overflow, and waking once a day costs nothing.
    const delayMs = Math.min(Math.max(dueMs - this.#clock.monotonicMs(), 0), 86_400_000);
    this.#cancel = later(delayMs, () => {
      this.#dueMs = Number.POSITIVE_INFINITY;
      this.#ring();
    });
  }

  clear(): void {
    this.#cancel();
    this.#dueMs = Number.POSITIVE_INFINITY;
  }
}

import type { ReporterClock } from "./clock.ts";

/** The longest that the API's own wish is followed: a mistaken header must not silence a service for a year. */
const wishMaxMs = 600_000;

export interface Backoff {
  readonly backoffFirstMs: number;
  readonly backoffMaxMs: number;
}

/**
 * Whether the API may be asked. After a failure it is closed for a random part of a time that doubles with each failure
 * in a row, so that many clients do not come back in step; then a single request tries whether it works again.
 */
export class Gate {
  readonly #backoff: Backoff;
  readonly #clock: ReporterClock;
  #failures = 0;
  #opensAtMs = Number.NEGATIVE_INFINITY;

  constructor(backoff: Backoff, clock: ReporterClock) {
    this.#backoff = backoff;
    this.#clock = clock;
  }

  /** False from the first failure to the next success. */
  get isOpen(): boolean {
    return this.#failures === 0;
  }

  get opensAtMs(): number {
    return this.#opensAtMs;
  }

  /** How many requests may be under way at this instant. */
  width(max: number): number {
    if (this.isOpen) return max;
    return this.#clock.monotonicMs() >= this.#opensAtMs ? 1 : 0;
  }

  /** @param wishMs what the API asked for with Retry-After: it is not asked before */
  fail(wishMs = 0): void {
    const now = this.#clock.monotonicMs();
    // Several requests under way fail together: that is one failure.
    if (now >= this.#opensAtMs) this.#failures++;
    const { backoffFirstMs, backoffMaxMs } = this.#backoff;
    const ceilingMs = Math.min(backoffFirstMs * 2 ** (this.#failures - 1), backoffMaxMs);
    const pauseMs = Math.min(wishMs, wishMaxMs) + this.#clock.random() * ceilingMs;
    this.#opensAtMs = Math.max(this.#opensAtMs, now + pauseMs);
  }

  /** A success of a request that was sent before the API asked for a pause does not end the pause. */
  pass(): void {
    if (this.#clock.monotonicMs() >= this.#opensAtMs) this.#failures = 0;
  }
}

/** So many stretches are told apart; older ones are put together, which only makes the answer more careful. */
const stretchesMax = 1_000;

interface Stretch {
  readonly firstSequence: number;
  earliestMs: number;
}

/**
 * The earliest time of all events from one on, without keeping the time of each: they are told apart in stretches, a new
 * one with every question. So the answer may be earlier than the truth, by events that were reported with it, never later.
 */
export class ReportedTimes {
  #stretches: Stretch[] = [];
  #isAsked = true;

  /** Events come in the order of their sequences. */
  add(sequence: number, timeMs: number): void {
    const last = this.#stretches.at(-1);
    if (last === undefined || this.#isAsked)
      this.#stretches.push({ firstSequence: sequence, earliestMs: timeMs });
    else if (timeMs < last.earliestMs) last.earliestMs = timeMs;
    this.#isAsked = false;
    if (this.#stretches.length > stretchesMax) this.#joinOldest();
  }

  /** Positive infinity when there are none. What is before that event is forgotten. */
  earliestFrom(sequence: number): number {
    this.#isAsked = true;
    const isOver = (index: number) => {
      const next = this.#stretches[index + 1];
      return sequence === Number.POSITIVE_INFINITY || (next !== undefined && next.firstSequence <= sequence);
    };
    this.#stretches = this.#stretches.filter((_, index) => !isOver(index));
    return Math.min(...this.#stretches.map(({ earliestMs }) => earliestMs));
  }

  #joinOldest(): void {
    const [first, second, ...others] = this.#stretches;
    if (first === undefined || second === undefined) return;
    first.earliestMs = Math.min(first.earliestMs, second.earliestMs);
    this.#stretches = [first, ...others];
  }
}

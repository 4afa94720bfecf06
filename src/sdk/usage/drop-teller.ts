import { later } from "./clock.ts";
import { type Listeners, tell } from "./notices.ts";
import type { Tally } from "./tally.ts";

const tellEveryMs = 1_000;

/** Counts events that were lost and tells of them at most once a second: there may be very many. */
export class DropTeller {
  readonly #listeners: Listeners;
  readonly #tally: Tally;
  #untold = 0;
  #cancel: (() => void) | undefined;

  constructor(listeners: Listeners, tally: Tally) {
    this.#listeners = listeners;
    this.#tally = tally;
  }

  dropped(count: number): void {
    this.#tally.counts.dropped += count;
    this.#untold += count;
    // Not at once: the listener is not called while an event is being reported.
    this.#cancel ??= later(0, () => this.#tellAndRest());
  }

  /** Tells of what was not told yet. */
  tell(): void {
    const count = this.#untold;
    if (count === 0) return;
    this.#untold = 0;
    const detail = `${count} events were lost: the memory is full and the disk does not take them`;
    tell(this.#listeners.onProblem, { code: "event_dropped", detail, count });
  }

  #tellAndRest(): void {
    this.tell();
    this.#cancel = later(tellEveryMs, () => {
      this.#cancel = undefined;
      if (this.#untold > 0) this.#tellAndRest();
    });
  }
}

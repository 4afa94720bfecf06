/** So many batches without a repeat, and the next one is expected to have none. */
const quietBatches = 100;

/**
 * Whether the next batch is likely to repeat an event. To add keys without asking which are there is quicker, but a batch
 * that repeats one is undone and goes again; so whoever sends repeats now and then is asked about each key.
 */
export class RepeatForecast {
  #expected = 0;

  get expectsRepeats(): boolean {
    return this.#expected > 0;
  }

  note(hadRepeats: boolean): void {
    this.#expected = hadRepeats ? quietBatches : Math.max(0, this.#expected - 1);
  }
}

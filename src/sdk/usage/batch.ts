/** The oldest event of something: its place in the order of reports, and when it was reported, by the monotonic clock. */
export interface Since {
  readonly sequence: number;
  readonly atMs: number;
}

/** The lowest sequence and the earliest time of all of them: what another process left has a late sequence and an early time. */
export function oldestOf(all: readonly (Since | undefined)[]): Since | undefined {
  return all.reduce((oldest, since) => {
    if (oldest === undefined || since === undefined) return oldest ?? since;
    return {
      sequence: Math.min(oldest.sequence, since.sequence),
      atMs: Math.min(oldest.atMs, since.atMs),
    };
  }, undefined);
}

/** Where the events of a batch are kept until they are answered. */
export interface BatchHome {
  readonly kind: "memory" | "disk";
  /** The API has answered every event of this batch, or they are kept elsewhere: they may be forgotten here. */
  release(batch: Batch): void;
}

/** Events that are sent together. */
export class Batch {
  readonly texts: readonly string[];
  readonly since: Since;
  readonly home: BatchHome;
  /** How often it failed while the API answered others: then the fault may be its own. */
  failures = 0;
  /** How many batches the API had answered when this one failed last. */
  answeredAtFailure = 0;
  /** Not sent again before this, so that others come first. */
  notBeforeMs = Number.NEGATIVE_INFINITY;

  constructor(texts: readonly string[], since: Since, home: BatchHome) {
    this.texts = texts;
    this.since = since;
    this.home = home;
  }

  /** Two batches in place of one of two events or more; they go on with its history. */
  halves(): Batch[] {
    const middle = Math.ceil(this.texts.length / 2);
    const { sequence, atMs } = this.since;
    return [
      this.#part(this.texts.slice(0, middle), this.since),
      this.#part(this.texts.slice(middle), { sequence: sequence + middle, atMs }),
    ];
  }

  #part(texts: readonly string[], since: Since): Batch {
    const part = new Batch(texts, since, this.home);
    part.failures = this.failures;
    part.answeredAtFailure = this.answeredAtFailure;
    return part;
  }
}

export interface BatchLimits {
  readonly batchEventsMax: number;
  readonly batchBytesMax: number;
}

/** How many of these texts, from `from` on, make a batch: at least one. */
export function countThatFits(texts: readonly string[], from: number, limits: BatchLimits): number {
  const last = Math.min(texts.length, from + limits.batchEventsMax);
  let length = 0;
  let to = from;
  while (to < last) {
    length += (texts[to]?.length ?? 0) + 1;
    if (length > limits.batchBytesMax && to > from) break;
    to++;
  }
  return to - from;
}

/** In characters. */
export const lengthOf = (texts: readonly string[]): number =>
  texts.reduce((length, text) => length + text.length, 0);

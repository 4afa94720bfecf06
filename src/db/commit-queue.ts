import { invariant } from "../domain/errors.ts";

/** Something that waits for a commit. */
export interface Waiting {
  /** How much of a batch it fills. */
  readonly size: number;
  /** On the clock of `performance`. */
  readonly takenAt: number;
}

export interface CommitQueueOptions<Item extends Waiting, Lane> {
  /** Each carries one batch at a time: a connection, for example. */
  readonly lanes: readonly Lane[];
  /** A batch takes no more than this, or one item. */
  readonly sizeMax: number;
  /** So much is worth a further batch beside those under way: what the fixed cost of a batch is worth. */
  readonly furtherSizeMin: number;
  /** Settles every item, and never rejects. */
  readonly send: (lane: Lane, items: readonly Item[]) => Promise<void>;
}

/** For items behind a batch that is held up, by a lock for example, when nothing else comes along. */
const waitMsMax = 10;

/**
 * Makes batches of what concurrent callers want committed. Nobody waits for a batch to fill: an item leaves at once
 * while no batch is on its way, else with the next one. First come, first served.
 */
export class CommitQueue<Item extends Waiting, Lane> {
  readonly #options: CommitQueueOptions<Item, Lane>;
  readonly #idle: Lane[];
  readonly #items: Item[] = [];
  readonly #drained = Promise.withResolvers<void>();
  #size = 0;
  #isDraining = false;
  #sendsSoon = false;
  #sendsLater = false;

  constructor(options: CommitQueueOptions<Item, Lane>) {
    this.#options = options;
    this.#idle = [...options.lanes];
  }

  /** How much waits, what is on its way left out. */
  get size(): number {
    return this.#size;
  }

  get batchesInFlight(): number {
    return this.#options.lanes.length - this.#idle.length;
  }

  add(item: Item): void {
    this.#items.push(item);
    this.#size += item.size;
    this.#sendSoon();
  }

  /** Settles when every item has been; none may be added any more. */
  drained(): Promise<void> {
    this.#isDraining = true;
    this.#sendSoon();
    return this.#drained.promise;
  }

  /** Whoever comes in the same turn of the event loop goes along, as do callers who have just got their outcome. */
  #sendSoon(): void {
    if (this.#sendsSoon) return;
    this.#sendsSoon = true;
    setImmediate(() => {
      this.#sendsSoon = false;
      this.#sendWaiting();
    });
  }

  #sendLater(): void {
    if (this.#sendsLater) return;
    this.#sendsLater = true;
    setTimeout(() => {
      this.#sendsLater = false;
      this.#sendWaiting();
    }, waitMsMax);
  }

  #sendWaiting(): void {
    for (let first = this.#items[0]; first !== undefined && this.#idle.length > 0; first = this.#items[0]) {
      if (!this.#mayLeave(first)) {
        this.#sendLater();
        return;
      }
      this.#sendBatch();
    }
    if (this.#isDraining && this.batchesInFlight === 0) this.#drained.resolve();
  }

  #mayLeave(first: Item): boolean {
    const hasWaited = performance.now() - first.takenAt >= waitMsMax;
    return this.batchesInFlight === 0 || this.#size >= this.#options.furtherSizeMin || hasWaited;
  }

  #sendBatch(): void {
    const lane = this.#idle.pop();
    invariant(lane !== undefined, "a batch has a lane of its own");
    this.#options.send(lane, this.#nextBatch()).finally(() => {
      this.#idle.push(lane);
      this.#sendSoon();
    });
  }

  #nextBatch(): Item[] {
    let [count, size] = [0, 0];
    for (const item of this.#items) {
      if (count > 0 && size + item.size > this.#options.sizeMax) break;
      count += 1;
      size += item.size;
    }
    this.#size -= size;
    return this.#items.splice(0, count);
  }
}

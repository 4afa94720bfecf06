import { Batch, type BatchHome, type BatchLimits, countThatFits, lengthOf, type Since } from "./batch.ts";

/** What an event takes beside its text, roughly. */
const overheadBytes = 100;
/** Below this, what has been taken from the front is not worth moving the rest for. */
const gapMax = 1_024;

/**
 * The events that wait in memory, in the order of their reports. What is taken from it counts as held until it is
 * released: the bound is on all that is in memory.
 */
export class MemoryQueue implements BatchHome {
  readonly kind = "memory";
  readonly #limits: BatchLimits;
  readonly #bytesMax: number;
  #texts: string[] = [];
  #timesMs: number[] = [];
  #head = 0;
  #length = 0;
  #heldBytes = 0;
  #heldCount = 0;
  #nextSequence = 0;

  constructor(limits: BatchLimits & { readonly memoryBytesMax: number }) {
    this.#limits = limits;
    this.#bytesMax = limits.memoryBytesMax;
  }

  get count(): number {
    return this.#texts.length - this.#head;
  }

  /** Of all that is in memory, what was taken and not released included. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  get heldCount(): number {
    return this.#heldCount;
  }

  /** The sequence that the next event gets: how many there have been. */
  get nextSequence(): number {
    return this.#nextSequence;
  }

  /** More than half of what memory may hold waits here. */
  get isFilling(): boolean {
    return this.#length + this.count * overheadBytes > this.#bytesMax / 2;
  }

  get hasFullBatch(): boolean {
    return (
      this.count >= this.#limits.batchEventsMax || this.#length + this.count >= this.#limits.batchBytesMax
    );
  }

  get oldest(): Since | undefined {
    const atMs = this.#timesMs[this.#head];
    return atMs === undefined ? undefined : { sequence: this.#nextSequence - this.count, atMs };
  }

  /** @returns false, and keeps nothing, when there is no room */
  push(text: string, atMs: number): boolean {
    const bytes = text.length + overheadBytes;
    if (this.#heldBytes + bytes > this.#bytesMax) return false;
    this.#heldBytes += bytes;
    this.#heldCount++;
    this.#length += text.length;
    this.#nextSequence++;
    this.#texts.push(text);
    this.#timesMs.push(atMs);
    return true;
  }

  /** The oldest events, as many as a batch may have; undefined when there are none. */
  take(): Batch | undefined {
    const { oldest } = this;
    if (oldest === undefined) return undefined;
    const to = this.#head + countThatFits(this.#texts, this.#head, this.#limits);
    const texts = this.#texts.slice(this.#head, to);
    this.#head = to;
    this.#length -= lengthOf(texts);
    if (this.count === 0 || (this.#head > gapMax && this.#head > this.count)) this.#closeGap();
    return new Batch(texts, oldest, this);
  }

  release({ texts }: Batch): void {
    this.#heldCount -= texts.length;
    this.#heldBytes -= lengthOf(texts) + texts.length * overheadBytes;
  }

  #closeGap(): void {
    this.#texts = this.#texts.slice(this.#head);
    this.#timesMs = this.#timesMs.slice(this.#head);
    this.#head = 0;
  }
}

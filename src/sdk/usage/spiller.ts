import { type Batch, lengthOf } from "./batch.ts";
import { DiskReceipts } from "./disk-receipts.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { Gate } from "./gate.ts";
import type { MemoryQueue } from "./memory-queue.ts";
import type { Spool } from "./spool.ts";
import type { Tally } from "./tally.ts";

/** About as much is written together, beside what failed: more would hold up the host while it is put together. */
const writeLengthMax = 512 * 1_024;
/** With `spool_first`, how long events are gathered before they are written: a sync of the disk takes about as long. */
export const gatherMs = 5;

const notOnDisk = Promise.resolve(false);

export interface SpillerParts {
  readonly spool: Spool;
  readonly isSpoolFirst: boolean;
  readonly batchAgeMs: number;
  readonly queue: MemoryQueue;
  readonly dispatcher: Dispatcher;
  readonly gate: Gate;
  readonly tally: Tally;
  /** A write has ended. */
  readonly onChange: () => void;
}

/** Moves events from memory to disk: all of them with `spool_first`; else when the API is away or the memory fills. */
export class Spiller {
  readonly #parts: SpillerParts;
  readonly #receipts = new DiskReceipts();
  #writing: readonly Batch[] = [];
  #isBusy = false;
  #idle: Promise<unknown> = Promise.resolve();

  constructor(parts: SpillerParts) {
    this.#parts = parts;
  }

  /** Whether events go from memory to the disk, and not to the API. */
  get isNeeded(): boolean {
    const { spool, isSpoolFirst, gate, queue } = this.#parts;
    return spool.isWritable && (isSpoolFirst || !gate.isOpen || queue.isFilling);
  }

  /** The batches that are being written. */
  get batches(): readonly Batch[] {
    return this.#writing;
  }

  /** Settles when nothing is being written. */
  get idle(): Promise<unknown> {
    return this.#idle;
  }

  /** When the event that was reported last is known to be on disk. */
  get receipt(): Promise<boolean> {
    const { isSpoolFirst, spool } = this.#parts;
    return isSpoolFirst && spool.isWritable ? this.#receipts.current : notOnDisk;
  }

  /** When the oldest event in memory should be written. */
  get dueMs(): number {
    const { queue, isSpoolFirst, batchAgeMs } = this.#parts;
    const { oldest } = queue;
    if (oldest === undefined || this.#isBusy || !this.isNeeded) return Number.POSITIVE_INFINITY;
    return oldest.atMs + (isSpoolFirst ? gatherMs : batchAgeMs);
  }

  /** Writes what is due. */
  run(now: number, isUrgent: boolean): void {
    const { queue, dispatcher } = this.#parts;
    if (this.#isBusy || !this.isNeeded) return;
    const failed = dispatcher.giveFromMemory();
    const isDue = isUrgent || queue.isFilling || queue.hasFullBatch || this.dueMs <= now;
    const fresh = isDue ? this.#takeFresh() : [];
    if (failed.length + fresh.length > 0) this.#idle = this.write([...failed, ...fresh]);
  }

  /** @returns whether they are on disk; when they are not, they wait in memory to be sent */
  async write(batches: readonly Batch[]): Promise<boolean> {
    const { spool, tally, dispatcher, onChange } = this.#parts;
    this.#isBusy = true;
    this.#writing = batches;
    const isWritten = await spool.write(batches);
    this.#writing = [];
    this.#isBusy = false;
    if (isWritten) {
      for (const batch of batches) {
        batch.home.release(batch);
        tally.counts.spooled += batch.texts.length;
      }
      this.#receipts.written(Math.max(...batches.map(endOf)));
    } else {
      dispatcher.take(batches);
      this.#receipts.failed();
    }
    onChange();
    return isWritten;
  }

  #takeFresh(): Batch[] {
    const { queue } = this.#parts;
    this.#receipts.close(queue.nextSequence);
    const fresh: Batch[] = [];
    for (let length = 0; length < writeLengthMax; ) {
      const batch = queue.take();
      if (batch === undefined) break;
      fresh.push(batch);
      length += lengthOf(batch.texts);
    }
    return fresh;
  }
}

const endOf = ({ since, texts }: Batch) => since.sequence + texts.length;

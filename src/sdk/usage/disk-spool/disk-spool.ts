import { join } from "node:path";
import { type Batch, oldestOf, type Since } from "../batch.ts";
import { later } from "../clock.ts";
import type { UsageProblemCode } from "../notices.ts";
import type { Spool, SpoolSize, SpoolSurroundings } from "../spool.ts";
import { Trouble } from "../trouble.ts";
import { createUuidV7 } from "../uuid-v7.ts";
import { FolderWatch, type FoundSegment } from "./folder-watch.ts";
import { newOwner } from "./owner.ts";
import { type ReadySegment, SegmentFeed } from "./segment-feed.ts";
import { fileNameOf, segmentBeganMs } from "./segment-name.ts";
import { SegmentWriter } from "./segment-writer.ts";
import type { SentSegment } from "./sent-segment.ts";
import type { SpoolFiles } from "./spool-files.ts";

export interface DiskSpoolOptions {
  readonly folder: string;
  /** What all segments together may take; only a process that ends without warning may go above it. */
  readonly spoolBytesMax: number;
  /** A segment that has reached this is complete. */
  readonly segmentBytesMax: number;
  readonly isSynced: boolean;
  /** How often the folder is looked at, and segments in hand are touched. */
  readonly roundMs: number;
  readonly staleAfterMs: number;
  readonly files: SpoolFiles;
}

const [firstRetryMs, lastRetryMs] = [500, 30_000];
/** Older than anything that this process reports. */
const beforeAll = -1;

/** Segments of events in a folder: written, sent and removed, also those that other processes have left there. */
export class DiskSpool implements Spool {
  readonly #options: DiskSpoolOptions;
  readonly #surroundings: SpoolSurroundings;
  readonly #owner = newOwner();
  readonly #writer: SegmentWriter;
  readonly #feed: SegmentFeed;
  readonly #watch: FolderWatch;
  readonly #trouble: Trouble;
  readonly #newId: () => string;
  #sizes = new Map<string, number>();
  #sealing: Since | undefined;
  #isLoading = false;
  #hasLooked = false;
  #writableAtMs = Number.NEGATIVE_INFINITY;
  #retryMs = firstRetryMs;
  /** What is done with files is done one after the other. */
  #turn: Promise<unknown> = Promise.resolve();
  #cancelRound: () => void = () => {};
  #isClosed = false;

  constructor(options: DiskSpoolOptions, surroundings: SpoolSurroundings) {
    const { folder, files, isSynced, staleAfterMs } = options;
    const { clock, listeners } = surroundings;
    const owner = this.#owner;
    this.#options = options;
    this.#surroundings = surroundings;
    this.#newId = createUuidV7(() => clock.wallMs());
    this.#trouble = new Trouble(listeners, {
      code: "spool_writes",
      detail: "the spool can be written again",
    });
    this.#writer = new SegmentWriter({ folder, owner, files, newId: this.#newId, isSynced });
    this.#feed = new SegmentFeed({ folder, owner, files, listeners, onDone: (done) => this.#remove(done) });
    this.#watch = new FolderWatch({ folder, owner, files, clock, staleAfterMs });
    this.#round();
  }

  get isWritable(): boolean {
    return this.#surroundings.clock.monotonicMs() >= this.#writableAtMs;
  }

  get oldest(): Since | undefined {
    if (!this.#hasLooked) return { sequence: beforeAll, atMs: this.#surroundings.clock.monotonicMs() };
    return oldestOf([this.#feed.oldest, this.#sealing, this.#writer.current?.since]);
  }

  get dueMs(): number {
    const { current } = this.#writer;
    const isWaiting = current !== undefined && current.events > 0 && !this.#isLoading;
    return isWaiting ? current.since.atMs + this.#surroundings.limits.batchAgeMs : Number.POSITIVE_INFINITY;
  }

  get size(): SpoolSize {
    return { segments: this.#sizes.size, bytes: sum([...this.#sizes.values()]) };
  }

  async write(batches: readonly Batch[]): Promise<boolean> {
    const lines = Buffer.from(batches.map(({ texts }) => `${texts.join("\n")}\n`).join(""));
    const events = sum(batches.map(({ texts }) => texts.length));
    const since = oldestOf(batches.map((batch) => batch.since));
    if (since === undefined) return true;
    return (await this.#inTurn(() => this.#write(lines, events, since))) === true;
  }

  next(isUrgent: boolean): Batch | undefined {
    const batch = this.#feed.take(this.#surroundings.limits);
    if (batch !== undefined || this.#isLoading || this.#isClosed) return batch;
    if (!this.#feed.hasReady && !this.#isSealDue(isUrgent)) return undefined;
    this.#isLoading = true;
    void this.#inTurn(async () => {
      if (!this.#feed.hasReady) await this.#seal();
      await this.#feed.load();
    }).then(() => {
      this.#isLoading = false;
      this.#surroundings.onChange();
    });
    return undefined;
  }

  rescue(texts: readonly string[]): boolean {
    const { folder, files } = this.#options;
    const id = this.#newId();
    const path = join(folder, fileNameOf({ id, state: "writing", owner: this.#owner }));
    // What cannot be renamed is taken over once it is known that we have ended.
    const hand = (from: string, to: string) => succeeds(() => files.renameSync(from, to));
    for (const held of this.#held) hand(held.path, this.#readyPath(held.id));
    if (texts.length === 0) return true;
    const isWritten = succeeds(() => files.writeSync(path, `${texts.join("\n")}\n`));
    if (isWritten) hand(path, this.#readyPath(id));
    return isWritten;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelRound();
    await this.#inTurn(async () => {
      await this.#seal();
      for (const { id, path } of this.#held) {
        await this.#options.files.rename(path, this.#readyPath(id)).catch(() => {});
      }
    });
  }

  async #write(lines: Uint8Array, events: number, since: Since): Promise<boolean> {
    const { spoolBytesMax, segmentBytesMax } = this.#options;
    const { bytes: held } = this.size;
    if (held + lines.length > spoolBytesMax) {
      return this.#cannotWrite("spool_full", `${held} of ${spoolBytesMax} bytes are in use`);
    }
    try {
      const { id, bytes } = await this.#writer.append(lines, events, since);
      this.#sizes.set(id, bytes);
      if (bytes >= segmentBytesMax) await this.#seal();
    } catch (error) {
      await this.#writer.mend();
      await this.#seal();
      return this.#cannotWrite("spool_unwritable", messageOf(error));
    }
    this.#retryMs = firstRetryMs;
    this.#trouble.ends();
    return true;
  }

  #cannotWrite(code: UsageProblemCode, detail: string): false {
    this.#trouble.begins(code, detail);
    this.#writableAtMs = this.#surroundings.clock.monotonicMs() + this.#retryMs;
    this.#retryMs = Math.min(this.#retryMs * 2, lastRetryMs);
    return false;
  }

  #isSealDue(isUrgent: boolean): boolean {
    const { current } = this.#writer;
    if (current === undefined || current.events === 0) return false;
    const { limits, clock } = this.#surroundings;
    const isFull = current.events >= limits.batchEventsMax || current.bytes >= limits.batchBytesMax;
    return isUrgent || isFull || this.dueMs <= clock.monotonicMs();
  }

  /** A segment that cannot be sealed is left: the next round finds it, unless somebody else has it. */
  async #seal(): Promise<void> {
    this.#sealing = this.#writer.current?.since;
    const id = await this.#writer.seal().catch(() => undefined);
    if (id !== undefined && this.#sealing !== undefined) {
      this.#feed.add([{ id, fileName: fileNameOf({ id, state: "ready" }), since: this.#sealing }]);
    }
    this.#sealing = undefined;
  }

  #remove(segment: SentSegment): void {
    void this.#inTurn(async () => {
      // When it is gone, somebody took it over while we were held up, and sends it once more.
      await this.#options.files.remove(segment.path).catch(() => {});
      this.#feed.forget(segment);
      this.#sizes.delete(segment.id);
    });
  }

  #round(): void {
    void this.#inTurn(async () => {
      for (const { path } of this.#held) await this.#options.files.touch(path).catch(() => {});
      const { sizes, free } = await this.#watch.look((id) => this.#has(id));
      this.#sizes = sizes;
      this.#feed.add(free.map((found) => this.#readyFrom(found)));
    }).then(() => {
      this.#hasLooked = true;
      if (this.#isClosed) return;
      this.#surroundings.onChange();
      this.#cancelRound = later(this.#options.roundMs, () => this.#round());
    });
  }

  #readyFrom({ id, fileName }: FoundSegment): ReadySegment {
    const { clock, nextSequence } = this.#surroundings;
    const ageMs = Math.max(0, clock.wallMs() - segmentBeganMs(id));
    // As if it had been reported just now: who flushes from now on waits for it too.
    const sequence = this.#hasLooked ? nextSequence() - 1 : beforeAll;
    return { id, fileName, since: { sequence, atMs: clock.monotonicMs() - ageMs } };
  }

  /** The files that have our name. */
  get #held(): readonly { readonly id: string; readonly path: string }[] {
    const { current } = this.#writer;
    return current === undefined ? this.#feed.inHand : [current, ...this.#feed.inHand];
  }

  #has(id: string): boolean {
    return this.#writer.current?.id === id || this.#feed.knows(id);
  }

  #readyPath(id: string): string {
    return join(this.#options.folder, fileNameOf({ id, state: "ready" }));
  }

  /** Nothing that goes wrong with files gets past this: it is told, and the result is undefined. */
  #inTurn<Result>(work: () => Promise<Result>): Promise<Result | undefined> {
    const result = this.#turn.then(work).catch((error: unknown) => {
      this.#trouble.begins("spool_unwritable", messageOf(error));
      return undefined;
    });
    this.#turn = result;
    return result;
  }
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

function succeeds(work: () => void): boolean {
  try {
    work();
    return true;
  } catch {
    return false;
  }
}

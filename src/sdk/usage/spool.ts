import type { Batch, BatchLimits, Since } from "./batch.ts";
import type { ReporterClock } from "./clock.ts";
import type { Listeners } from "./notices.ts";

/** Where events are kept when they cannot be sent. Nothing here throws or rejects. */
export interface Spool {
  /** False after it could not write, until it is worth trying again. */
  readonly isWritable: boolean;
  /** Keeps these events; gives true once they survive the end of the process. */
  write(batches: readonly Batch[]): Promise<boolean>;
  /** The next batch to send, the oldest first; undefined when there is none at the moment. */
  next(isUrgent: boolean): Batch | undefined;
  /** The oldest event in it that this process knows of. */
  readonly oldest: Since | undefined;
  /** When it should be asked again, by the monotonic clock. */
  readonly dueMs: number;
  readonly size: SpoolSize;
  /** What `write` does, at once, for a process that is ending; gives false when it failed. */
  rescue(texts: readonly string[]): boolean;
  /** Leaves everything to whoever uses the folder next. */
  close(): Promise<void>;
}

export interface SpoolSize {
  readonly segments: number;
  readonly bytes: number;
}

/** What a spool is given by the reporter it belongs to. */
export interface SpoolSurroundings {
  readonly limits: BatchLimits & { readonly batchAgeMs: number };
  readonly listeners: Listeners;
  readonly clock: ReporterClock;
  /** The sequence that the next event will get. */
  readonly nextSequence: () => number;
  /** To be called when `next` may have something that it had not before, and when something was released. */
  readonly onChange: () => void;
}

export type OpenSpool = (surroundings: SpoolSurroundings) => Spool;

import type { UsageProblemCode } from "./notices.ts";
import type { SpoolSize } from "./spool.ts";
import type { Counts } from "./tally.ts";
import type { Refusal, UsageEventInput } from "./usage-event.ts";

/** Reports usage events without ever holding up the service it is in. */
export interface UsageReporter {
  /**
   * Takes an event: in microseconds, without waiting for anything, and without throwing, whatever it is given and whatever
   * happens to the API, the network or the disk.
   */
  report(event: UsageEventInput): ReportResult;
  /**
   * Sends what was reported so far without waiting for batches to fill. Gives true once the API has answered for all of
   * it, also for what was found on disk; false when that has not happened by the deadline (30 s). Never rejects.
   */
  flush(options?: WaitOptions): Promise<boolean>;
  /**
   * Takes no more events, flushes until the deadline (5 s), and leaves the rest on disk for the next process. Without a
   * disk the rest is lost, counted and told. Never rejects.
   */
  close(options?: WaitOptions): Promise<UsageStats>;
  stats(): UsageStats;
}

export interface WaitOptions {
  readonly deadlineMs?: number | undefined;
}

export type ReportResult =
  | {
      readonly status: "taken";
      readonly source: string;
      readonly id: string;
      /**
       * True once the event would survive the end of this process, however it ends: only with `spool_first`. False when it is
       * in memory for now: with `memory_first` at once, and when the disk takes nothing. Never rejects.
       */
      readonly flushedToDisk: Promise<boolean>;
    }
  /** The memory is full, and the disk takes nothing, or not fast enough: the event is lost unless it is reported again. */
  | { readonly status: "dropped"; readonly source: string; readonly id: string }
  /** It can never be sent. */
  | ({ readonly status: "refused" } & Refusal);

export interface UsageStats extends Readonly<Counts> {
  /** Events in memory: neither answered nor on disk. */
  readonly queued: number;
  readonly queuedBytes: number;
  readonly requestsInFlight: number;
  /** What the spool's folder holds, of all processes that use it. */
  readonly spool: SpoolSize;
  /** For how long the oldest event that is not answered has waited; 0 when there is none. */
  readonly lagMs: number;
  /** Why the API cannot be used; undefined while it can, as far as is known. */
  readonly apiProblem: UsageProblemCode | undefined;
}

import { BillingError, invariant } from "../../domain/errors.ts";
import type { UsageEvent } from "../../domain/metering/index.ts";
import { CommitQueue } from "../commit-queue.ts";
import { type Asked, isPassing, settleWaiting } from "../settle-waiting.ts";
import { sqlState } from "../sql-state.ts";
import { openUsageConnection, type SeenMeters, type UsageConnection } from "./usage-connection.ts";
import type { IngestOutcome } from "./usage-ingest.ts";

export interface UsageWriter {
  /**
   * Takes in events together with those of other callers: one commit for many, an outcome for each event, in the order
   * given. Settles when what it says is durable. Taking in an event again, after any error, does no harm. Of two events
   * with one key the first in `events` wins; those of callers at the same time have no order.
   * @param events at most `batchMax`
   * @throws UsageWriterBusyError, UsageWriterUnavailableError, UsageWriterClosedError
   */
  take(events: readonly UsageEvent[]): Promise<readonly IngestOutcome[]>;
  /** Events that wait for a batch. */
  readonly waiting: number;
  readonly batchesInFlight: number;
  /** Takes no further events; settles when every event taken has its outcome. */
  close(): Promise<void>;
}

export interface UsageWriterOptions {
  /** The primary, as the application connects to it. */
  readonly url: string;
  /** Shown in pg_stat_activity. */
  readonly applicationName?: string;
  /** Events in one batch. */
  readonly batchMax?: number;
  /** Batches on their way at the same time, each on a connection of its own. */
  readonly batchesInFlight?: number;
  /** Events that may wait for a batch; more are refused at once. */
  readonly queueMax?: number;
  /** How long the database may be silent or away: what was taken longer ago is sent no more. */
  readonly patienceMs?: number;
  /** Told of every batch that was committed. */
  readonly onBatch?: (batch: CommittedBatch) => void;
}

export interface CommittedBatch {
  readonly callers: number;
  readonly events: number;
  readonly seconds: number;
}

const usual = {
  applicationName: "reckoner usage writer",
  batchMax: 1_000,
  batchesInFlight: 2,
  queueMax: 100_000,
  patienceMs: 20_000,
  onBatch: () => {},
};

/** More events wait than the database keeps up with: none of these was taken, and they may be sent again later. */
export class UsageWriterBusyError extends Error {
  readonly code = "usage_writer_busy";
}

/** The database did not answer: the events may have been taken in or not. Sending them again is safe, and tells. */
export class UsageWriterUnavailableError extends Error {
  readonly code = "usage_writer_unavailable";
}

export class UsageWriterClosedError extends Error {
  readonly code = "usage_writer_closed";
}

/** An event that fits its meters, and that the tables refuse all the same. */
export class UsageEventRefusedError extends BillingError {
  readonly code = "usage_event_refused";
}

/** The events of one caller, who waits for their outcomes. */
interface Taken extends Asked {
  readonly events: readonly UsageEvent[];
  resolve(outcomes: readonly IngestOutcome[]): void;
}

/** What a batch costs before anything is in it, in events. */
const furtherSizeMin = 30;

/** A client of usage ingest that makes batches of what concurrent callers bring (group commit). */
export function openUsageWriter(options: UsageWriterOptions): UsageWriter {
  const { url, applicationName, batchMax, batchesInFlight, queueMax, patienceMs, onBatch } = {
    ...usual,
    ...options,
  };
  const seen: SeenMeters = { current: undefined };
  const connections = Array.from({ length: batchesInFlight }, () =>
    openUsageConnection({ url, applicationName, timeLimitMs: patienceMs }, seen),
  );
  const queue = new CommitQueue<Taken, UsageConnection>({
    lanes: connections,
    sizeMax: batchMax,
    furtherSizeMin,
    send: (connection, callers) => settle(connection, callers, { patienceMs, onBatch }),
  });
  let isClosed = false;
  return {
    async take(events) {
      invariant(events.length <= batchMax, "events are taken in batches");
      if (isClosed) throw new UsageWriterClosedError("no more usage events are taken in here");
      if (queue.size + events.length > queueMax)
        throw new UsageWriterBusyError(`${queue.size} events wait already`);
      if (events.length === 0) return [];
      const { promise, resolve, reject } = Promise.withResolvers<readonly IngestOutcome[]>();
      queue.add({ events, size: events.length, takenAt: performance.now(), resolve, reject });
      return promise;
    },
    get waiting() {
      return queue.size;
    },
    get batchesInFlight() {
      return queue.batchesInFlight;
    },
    async close() {
      isClosed = true;
      await queue.drained();
      await Promise.all(connections.map((connection) => connection.close()));
    },
  };
}

/** Gives every caller outcomes of his own, or an error, whatever happens. */
async function settle(
  connection: UsageConnection,
  taken: readonly Taken[],
  { patienceMs, onBatch }: Required<Pick<UsageWriterOptions, "patienceMs" | "onBatch">>,
): Promise<void> {
  await settleWaiting(taken, {
    patienceMs,
    isPassing: (error) => isPassing(error, ["25P02"]),
    async write(callers) {
      const startedAt = performance.now();
      const events = callers.flatMap((caller) => caller.events);
      const outcomes = await outcomesOf(connection, events);
      const seconds = (performance.now() - startedAt) / 1_000;
      onBatch({ callers: callers.length, events: events.length, seconds });
      let from = 0;
      for (const { size, resolve } of callers) {
        resolve(outcomes.slice(from, from + size));
        from += size;
      }
    },
    refuse(callers, error) {
      for (const { reject } of callers) reject(error);
    },
    unavailable: (_, cause) => new UsageWriterUnavailableError(awayMessage, { cause }),
  });
}

const awayMessage = "it is not known whether the events were taken in, the database is away: send them again";

/** When the tables refuse something in a batch, halving finds it: it alone is invalid, and all else is taken in. */
async function outcomesOf(
  connection: UsageConnection,
  events: readonly UsageEvent[],
): Promise<IngestOutcome[]> {
  try {
    return await connection.ingest(events);
  } catch (error) {
    if (!isAboutValues(error)) throw error;
    if (events.length === 1) return [{ status: "invalid", refusal: refusalOf(error) }];
    const middle = Math.ceil(events.length / 2);
    return [
      ...(await outcomesOf(connection, events.slice(0, middle))),
      ...(await outcomesOf(connection, events.slice(middle))),
    ];
  }
}

/** Classes 22 and 23: what the tables' own rules refuse; 54: what is beyond the server's limits. */
export const isAboutValues = (error: unknown) => /^(22|23|54)/.test(sqlState(error) ?? "");

export const refusalOf = (error: unknown) =>
  new UsageEventRefusedError(`the event cannot be kept: ${(error as Error).message}`);

import type { BillingError } from "../../domain/errors.ts";
import type { UsageEvent } from "../../domain/metering/index.ts";
import { isConnectionLost } from "../lost-connection.ts";
import type { MetersInForce } from "./meters-in-force.ts";
import { openUsageConnection, type SeenMeters, type UsageTransaction } from "./usage-connection.ts";
import { type IngestOutcome, ingestEvents } from "./usage-ingest.ts";
import {
  advancePositions,
  type ClaimedPosition,
  claimPositions,
  keepRefusals,
  type LogRefusal,
  type LogTopic,
  type PositionMove,
} from "./usage-log.ts";
import { isAboutValues, refusalOf } from "./usage-writer.ts";

/** What was read from a log, of one or more partitions, and is committed as a whole. */
export interface LogBatch {
  readonly moves: readonly PositionMove[];
  readonly events: readonly UsageEvent[];
  /** What is no event at all. */
  readonly refusals: readonly LogRefusal[];
  /** One of the events, by its index, as it is kept when it is refused after all. */
  refused(index: number, refusal: BillingError): LogRefusal;
}

/** One connection that writes what was read from a log. */
export interface UsageLogWriter {
  /** @throws UsageLogTopicReplacedError */
  claim(
    topic: LogTopic,
    claimant: string,
    logStarts: ReadonlyMap<number, bigint>,
  ): Promise<ClaimedPosition[]>;
  /**
   * Stores and counts the events, keeps what was refused, and moves the positions on: all in one commit, or nothing. Gives
   * what became of each event. After any other error than UsageLogFencedError nobody knows whether it was committed: claim
   * again, that tells.
   * @throws UsageLogFencedError
   */
  write(topic: LogTopic, batch: LogBatch): Promise<readonly IngestOutcome[]>;
  close(): Promise<void>;
}

export interface UsageLogWriterOptions {
  /** The primary, as the application connects to it. */
  readonly url: string;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
  /** After so long without an answer the database counts as lost. */
  readonly patienceMs: number;
}

export function openUsageLogWriter(options: UsageLogWriterOptions, seen: SeenMeters): UsageLogWriter {
  const { url, applicationName, patienceMs } = options;
  const connection = openUsageConnection({ url, applicationName, timeLimitMs: patienceMs }, seen);
  return {
    claim: (topic, claimant, logStarts) =>
      connection.measured((sql) => claimPositions(sql, topic, claimant, logStarts)),
    async write(topic, batch) {
      const writeWith = (ingest: Ingest) =>
        connection.measured((sql, meters) =>
          store(sql, topic, batch, () => ingest(sql, batch.events, meters)),
        );
      try {
        return await writeWith((sql, events, meters) => ingestEvents({ sql }, events, meters));
      } catch (error) {
        if (!isAboutValues(error)) throw error;
        return writeWith(ingestSparing);
      }
    },
    close: () => connection.close(),
  };
}

type Ingest = (
  sql: UsageTransaction,
  events: readonly UsageEvent[],
  meters: MetersInForce["meters"],
) => Promise<IngestOutcome[]>;

async function store(
  sql: UsageTransaction,
  topic: LogTopic,
  { moves, refusals, refused }: LogBatch,
  ingest: () => Promise<IngestOutcome[]>,
): Promise<readonly IngestOutcome[]> {
  // Positions first: who was overtaken waits there, and is refused before he has touched anything else.
  const [, outcomes] = await Promise.all([advancePositions(sql, topic.id, moves), ingest()] as const);
  const all = [...refusals];
  for (const [index, outcome] of outcomes.entries()) {
    if (outcome.status === "invalid") all.push(refused(index, outcome.refusal));
  }
  if (all.length > 0) await keepRefusals(sql, topic.id, all);
  return outcomes;
}

/** When the tables refuse something in a batch, halving finds it: it alone is invalid, and all else goes on. */
async function ingestSparing(
  sql: UsageTransaction,
  events: readonly UsageEvent[],
  meters: MetersInForce["meters"],
): Promise<IngestOutcome[]> {
  try {
    return (await sql.savepoint((part) =>
      ingestEvents({ sql: part }, events, meters).catch(throwUnlessLost),
    )) as IngestOutcome[];
  } catch (error) {
    if (!isAboutValues(error)) throw error;
    if (events.length === 1) return [{ status: "invalid", refusal: refusalOf(error) }];
  }
  const middle = Math.ceil(events.length / 2);
  return [
    ...(await ingestSparing(sql, events.slice(0, middle), meters)),
    ...(await ingestSparing(sql, events.slice(middle), meters)),
  ];
}

/** Once the connection is lost nothing may settle here: the driver would roll back to the savepoint, on no connection. */
function throwUnlessLost(error: unknown): Promise<never> {
  if (isConnectionLost(error)) return new Promise(() => {});
  throw error;
}

import { hostname } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { type BaseOptions, Consumer } from "@platformatic/kafka";
import type { Logger } from "pino";
import type { Registry } from "prom-client";
import type { EventClocks } from "../../api/ingest/parsed-events.ts";
import type { SeenMeters } from "../../db/usage/usage-connection.ts";
import { type LogTopic, UsageLogFencedError } from "../../db/usage/usage-log.ts";
import { openUsageLogWriter, type UsageLogWriter } from "../../db/usage/usage-log-writer.ts";
import { watchMembership } from "./membership.ts";
import { type ReadingOptions, readPartitions } from "./partition-reading.ts";
import { usageLogMetrics } from "./usage-log-metrics.ts";

export interface UsageLogOptions {
  /** Where the log is, and how to get in. */
  readonly kafka: Pick<BaseOptions, "bootstrapBrokers" | "tls" | "sasl">;
  readonly topic: string;
  /** Readers of one group share the partitions. */
  readonly group: string;
  readonly databaseUrl: string;
  readonly clocks: EventClocks;
  readonly logger: Logger;
  readonly metrics: Registry;
  /** Batches on their way at the same time, of different partitions, each on a connection of its own. */
  readonly connections?: number;
  /** Events in one commit; a message is never divided. */
  readonly batchMax?: number;
  /** Events that are read and not committed yet; then reading pauses. */
  readonly inFlightMax?: number;
  /**
   * A reader of which nothing is heard for so long is taken for dead, and others get its partitions. The database, too, counts
   * as lost after it, and gives up what a reader that is silent had begun.
   */
  readonly sessionTimeoutMs?: number;
}

export interface UsageLogReader {
  /** Reads nothing more, and settles when what was on its way is committed and the group knows. */
  stop(): Promise<void>;
}

const usual = {
  connections: 2,
  batchMax: 2_000,
  inFlightMax: 20_000,
  sessionTimeoutMs: 10_000,
};

const [pauseMinMs, pauseMaxMs] = [100, 10_000];
const closeMsMax = 5_000;

/** Reads usage from a log, as one of a group, until it is stopped; whatever goes away meanwhile, it is waited for. */
export function startUsageLogReader(options: UsageLogOptions): UsageLogReader {
  const { logger, databaseUrl, topic, connections, batchMax, inFlightMax, sessionTimeoutMs, clocks } = {
    ...usual,
    ...options,
  };
  const seen: SeenMeters = { current: undefined };
  const open = () =>
    openUsageLogWriter(
      { url: databaseUrl, applicationName: "reckoner usage log", patienceMs: sessionTimeoutMs },
      seen,
    );
  const writers: [UsageLogWriter, ...UsageLogWriter[]] = [
    open(),
    ...Array.from({ length: connections - 1 }, open),
  ];
  const stopping = new AbortController();
  const pauses = growingPauses();
  const metrics = usageLogMetrics(options.metrics, topic);
  const failed = (error: unknown) => {
    const { code = "unknown" } = error as { code?: string };
    metrics.failed(code);
    logger.warn({ err: error, topic }, "reading usage from the log failed; beginning anew");
  };

  const reading = {
    writers,
    batchMax,
    inFlightMax,
    metrics,
    clocks,
    claimant: `${hostname()}/${process.pid}`,
    onCommit: pauses.reset,
    pauses,
    failed,
  };

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      const consumer = consumerOf(options, sessionTimeoutMs);
      await readAsMember(consumer, topic, reading, stopping.signal).catch(failed);
      await closed(consumer);
      await pauses.next(stopping.signal);
    }
  }

  const running = run();
  return {
    async stop() {
      stopping.abort();
      await running;
      await Promise.all(writers.map((writer) => writer.close()));
    },
  };
}

function consumerOf({ kafka, group }: UsageLogOptions, sessionTimeoutMs: number): Consumer {
  return new Consumer({
    ...kafka,
    clientId: "reckoner-usage-log",
    groupId: group,
    sessionTimeout: sessionTimeoutMs,
    rebalanceTimeout: 3 * sessionTimeoutMs,
    heartbeatInterval: Math.round(sessionTimeoutMs / 8),
    heartbeatStallTimeout: sessionTimeoutMs,
    retries: 2,
    retryDelay: 250,
  });
}

type Reading = Omit<ReadingOptions, "consumer" | "topic"> & {
  readonly pauses: Pauses;
  readonly failed: (error: unknown) => void;
};

/** Until `stop` is aborted. @throws when the broker or the group has failed */
async function readAsMember(
  consumer: Consumer,
  topic: string,
  reading: Reading,
  stop: AbortSignal,
): Promise<void> {
  const membership = watchMembership(consumer, topic);
  // Counted as read for as long as we are a member: a stream that comes or goes must not make the group begin anew.
  consumer.topics.track(topic);
  await consumer.joinGroup({});
  while (!stop.aborted) {
    const { partitions, over } = membership.assignment();
    const isOver = AbortSignal.any([stop, over]);
    try {
      if (partitions.length === 0) await until(isOver);
      else await readAssigned(consumer, topic, partitions, reading, isOver);
    } catch (error) {
      if (isOver.aborted && error instanceof UsageLogFencedError) continue; // as it must be: others have them now
      if (isBrokers(error)) throw error;
      reading.failed(error);
      await reading.pauses.next(isOver);
    }
  }
}

async function readAssigned(
  consumer: Consumer,
  topic: string,
  partitions: readonly number[],
  reading: Reading,
  isOver: AbortSignal,
): Promise<void> {
  const known = await knownTopic(consumer, topic);
  await readPartitions({ ...reading, consumer, topic: known }, partitions, isOver);
}

/** Errors of the database leave the membership as it is: the group need not begin anew for them. */
const isBrokers = (error: unknown) => String((error as { code?: unknown }).code).startsWith("PLT_KFK");

async function knownTopic(consumer: Consumer, name: string): Promise<LogTopic> {
  const { topics } = await consumer.metadata({ topics: [name], forceUpdate: true });
  const id = topics.get(name)?.id;
  if (id === undefined) throw new Error(`the broker does not know the topic ${name}`);
  return { name, id };
}

/** A broker that is away cannot be told that we leave: it will notice. */
async function closed(consumer: Consumer): Promise<void> {
  await Promise.race([consumer.close(true).catch(() => {}), delay(closeMsMax, undefined, { ref: false })]);
}

const until = (signal: AbortSignal) => delay(2 ** 31 - 1, undefined, { signal }).catch(() => {});

interface Pauses {
  reset(): void;
  next(signal: AbortSignal): Promise<void>;
}

/** Twice as long each time, until something works. */
function growingPauses(): Pauses {
  let pauseMs = pauseMinMs;
  return {
    reset: () => {
      pauseMs = pauseMinMs;
    },
    async next(signal: AbortSignal) {
      await delay(pauseMs, undefined, { signal }).catch(() => {});
      pauseMs = Math.min(2 * pauseMs, pauseMaxMs);
    },
  };
}

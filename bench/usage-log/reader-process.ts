import { setTimeout as delay } from "node:timers/promises";
import { pino } from "pino";
import { Registry } from "prom-client";
import { instantOfEpochMs } from "../../src/domain/calendar/index.ts";
import { startUsageLogReader } from "../../src/workers/usage-log/usage-log-reader.ts";
import { answerParent, optionsGiven } from "../ingest/messages.ts";

/** The reader as the program runs it, until it has read what there is. */
export interface ReaderOptions {
  readonly brokers: string;
  readonly databaseUrl: string;
  readonly connections: number;
  readonly batchMax: number;
}

export interface ReadQuestion {
  readonly topic: string;
  /** How many events are in it. */
  readonly events: number;
}

export interface ReadAnswer {
  readonly accepted: number;
  readonly seconds: number;
}

const options = optionsGiven<ReaderOptions>();

async function read({ topic, events }: ReadQuestion): Promise<ReadAnswer> {
  const metrics = new Registry();
  const startedAt = performance.now();
  const reader = startUsageLogReader({
    kafka: { bootstrapBrokers: [options.brokers] },
    topic,
    group: `reckoner-${topic}`,
    databaseUrl: options.databaseUrl,
    connections: options.connections,
    batchMax: options.batchMax,
    clocks: { now: () => instantOfEpochMs(Date.now()), nowFor: async () => new Map() },
    logger: pino({ level: "warn" }),
    metrics,
  });
  const counted = async (outcome?: string) => {
    const found = await metrics.getSingleMetric("reckoner_usage_log_events_total")?.get();
    const values = found?.values.filter(({ labels }) => outcome === undefined || labels.outcome === outcome);
    return (values ?? []).reduce((sum, { value }) => sum + value, 0);
  };
  while ((await counted()) < events) await delay(5);
  const seconds = (performance.now() - startedAt) / 1_000;
  const accepted = await counted("accepted");
  await reader.stop();
  return { accepted, seconds };
}

answerParent({}, { answer: (question: ReadQuestion) => read(question), end: async () => {} });

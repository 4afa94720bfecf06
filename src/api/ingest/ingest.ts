import type { Registry } from "prom-client";
import { type BackfillWriter, openBackfillWriter } from "../../db/usage/backfill-writer.ts";
import { openUsageWriter, type UsageWriter, type UsageWriterOptions } from "../../db/usage/usage-writer.ts";
import { type IngestLimits, type IngestLimitsMax, ingestLimits } from "./ingest-limits.ts";
import { type IngestMetrics, ingestMetrics } from "./ingest-metrics.ts";

/** All that takes in usage events, with connections of its own: however much comes in, other requests have theirs. */
export interface Ingest {
  readonly writer: UsageWriter;
  /** Of events that belong to a backfill. */
  readonly backfills: BackfillWriter;
  readonly limits: IngestLimits;
  readonly metrics: IngestMetrics;
}

export interface IngestOptions extends Omit<UsageWriterOptions, "onBatch"> {
  readonly metrics: Registry;
  readonly limits?: Partial<IngestLimitsMax>;
}

/** A second of work, and memory for it: the bodies, and some five times as much for what is made of them. */
const usual: IngestLimitsMax = { requests: 1_000, bytes: 64 * 1024 * 1024, events: 50_000 };

export function openIngest({ metrics: registry, limits: limitsMax, ...options }: IngestOptions): Ingest {
  const metrics = ingestMetrics(registry);
  const limits = ingestLimits({ ...usual, ...limitsMax }, metrics.refused);
  const writer = openUsageWriter({ ...options, onBatch: metrics.committed });
  const backfills = openBackfillWriter({ url: options.url });
  metrics.watch(limits, writer);
  return { writer, backfills, limits, metrics };
}

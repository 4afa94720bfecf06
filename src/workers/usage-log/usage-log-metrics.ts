import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { outcomeCounts } from "../../api/ingest/batch-answer.ts";
import type { IngestOutcome } from "../../db/usage/usage-ingest.ts";
import type { LogRefusal } from "../../db/usage/usage-log.ts";

/** How reading usage from a log does, in the format of Prometheus. */
export interface UsageLogMetrics {
  committed(batch: ReadBatch): void;
  /** Somebody else had taken the partitions over. */
  fenced(): void;
  /** Reading has ended with this error, and begins anew. */
  failed(code: string): void;
  /** Of the partitions that are read here, and of no other. */
  stands(partitions: ReadonlyMap<number, { readonly position: bigint; readonly end: bigint }>): void;
  /** Shows from now on how many events wait for their commit. */
  watch(waiting: () => number): void;
}

export interface ReadBatch {
  readonly messages: number;
  readonly outcomes: readonly IngestOutcome[];
  /** What was refused before it was an event; a whole message counts as one. */
  readonly refusals: readonly LogRefusal[];
  readonly seconds: number;
}

export function usageLogMetrics(registry: Registry, topic: string): UsageLogMetrics {
  const registers = [registry];
  const counter = (name: string, help: string, labelNames: string[] = []) =>
    new Counter({ name, help, labelNames, registers });
  const events = counter(
    "reckoner_usage_log_events_total",
    "Usage events that were read from the log and committed, by what became of them.",
    ["outcome"],
  );
  const refused = counter(
    "reckoner_usage_log_refused_total",
    "Events, and messages that could not be read at all, that are kept in usage.log_refusal, by reason.",
    ["code"],
  );
  const messages = counter("reckoner_usage_log_messages_total", "Messages that were read and committed.");
  const fenced = counter(
    "reckoner_usage_log_fenced_total",
    "Batches that were not written, because another reader had taken over.",
  );
  const failures = counter(
    "reckoner_usage_log_failures_total",
    "How often reading ended with an error and began anew, by its code.",
    ["code"],
  );
  const seconds = new Histogram({
    name: "reckoner_usage_log_batch_seconds",
    help: "Time to measure and commit one batch with its positions.",
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  const partitionGauge = (name: string, help: string) =>
    new Gauge({ name, help, labelNames: ["topic", "partition"], registers });
  const position = partitionGauge("reckoner_usage_log_position", "Offset of the message that comes next.");
  const lag = partitionGauge(
    "reckoner_usage_log_lag_messages",
    "Messages, by their offsets, between the position and the log's end.",
  );
  let queued = () => 0;
  new Gauge({
    name: "reckoner_usage_log_queue_events",
    help: "Usage events that were read and are not committed yet.",
    registers,
    collect() {
      this.set(queued());
    },
  });
  return {
    committed(batch) {
      messages.inc(batch.messages);
      seconds.observe(batch.seconds);
      const codes = batch.refusals.map(({ refusal }) => refusal.code);
      for (const outcome of batch.outcomes)
        if (outcome.status === "invalid") codes.push(outcome.refusal.code);
      for (const code of codes) refused.inc({ code });
      for (const [outcome, count] of Object.entries(outcomeCounts(batch.outcomes))) {
        if (count > 0) events.inc({ outcome }, count);
      }
      const invalid = batch.refusals.filter(({ eventNumber }) => eventNumber > 0).length;
      if (invalid > 0) events.inc({ outcome: "invalid" }, invalid);
    },
    fenced: () => fenced.inc(),
    failed: (code) => failures.inc({ code }),
    stands(partitions) {
      position.reset();
      lag.reset();
      for (const [partition, at] of partitions) {
        const labels = { topic, partition: String(partition) };
        position.set(labels, Number(at.position));
        lag.set(labels, Number(at.end > at.position ? at.end - at.position : 0n));
      }
    },
    watch(waiting) {
      queued = waiting;
    },
  };
}

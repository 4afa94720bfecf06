import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { CommittedBatch, UsageWriter } from "../../db/usage/usage-writer.ts";
import type { OutcomeCounts } from "./batch-answer.ts";
import type { IngestLimits, RefusalReason } from "./ingest-limits.ts";

/** How taking in usage events does, in the format of Prometheus. */
export interface IngestMetrics {
  answered(counts: OutcomeCounts): void;
  refused(reason: RefusalReason): void;
  committed(batch: CommittedBatch): void;
  /** Shows what is under way from now on. */
  watch(limits: IngestLimits, writer: UsageWriter): void;
}

export function ingestMetrics(registry: Registry): IngestMetrics {
  const registers = [registry];
  const events = new Counter({
    name: "reckoner_ingest_events_total",
    help: "Usage events that were answered, by what became of them.",
    labelNames: ["outcome"],
    registers,
  });
  const refused = new Counter({
    name: "reckoner_ingest_refused_total",
    help: "Requests that were asked to come again, by what there was too much of.",
    labelNames: ["reason"],
    registers,
  });
  const seconds = new Histogram({
    name: "reckoner_ingest_batch_seconds",
    help: "Time to measure and commit one batch of usage events.",
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  const size = new Histogram({
    name: "reckoner_ingest_batch_events",
    help: "Usage events in one commit.",
    buckets: [1, 3, 10, 30, 100, 300, 1_000],
    registers,
  });
  return {
    answered(counts) {
      for (const [outcome, count] of Object.entries(counts)) if (count > 0) events.inc({ outcome }, count);
    },
    refused: (reason) => refused.inc({ reason }),
    committed(batch) {
      seconds.observe(batch.seconds);
      size.observe(batch.events);
    },
    watch(limits, writer) {
      const gauge = (name: string, help: string, read: () => number) =>
        new Gauge({
          name,
          help,
          registers,
          collect() {
            this.set(read());
          },
        });
      const { inFlight } = limits;
      gauge("reckoner_ingest_requests_in_flight", "Requests that are worked on.", () => inFlight.requests);
      gauge("reckoner_ingest_bytes_in_flight", "Bytes of their bodies, decompressed.", () => inFlight.bytes);
      gauge("reckoner_ingest_events_in_flight", "Usage events in them.", () => inFlight.events);
      gauge("reckoner_ingest_queue_events", "Usage events that wait for a batch.", () => writer.waiting);
      gauge(
        "reckoner_ingest_batches_in_flight",
        "Batches on their way to the database.",
        () => writer.batchesInFlight,
      );
    },
  };
}

import { Gauge } from "prom-client";
import { sourcesForMetrics } from "../../db/usage/watermarks.ts";
import { type ExpectedSource, progressOf } from "../../domain/metering/index.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { sharedRead } from "../shared-read.ts";

/** Sources that have a line of their own; the others share one, with the most that any of them lags behind. */
const sourcesMax = 50;
const allOthers = "(others)";

/** Says at each scrape how far sources of usage are behind; while the database is away, nothing. */
export function measureWatermarks({
  db,
  now,
  logger,
  metrics,
}: Pick<ApiDependencies, "db" | "now" | "logger" | "metrics">): void {
  // The gauges are collected side by side: one look answers both.
  const look = sharedRead(() =>
    sourcesForMetrics(db.orm).catch((error: unknown) => {
      logger.warn({ err: error }, "how far sources of usage are cannot be measured");
      return undefined;
    }),
  );

  new Gauge({
    name: "reckoner_usage_watermark_lag_seconds",
    help: "How long ago it is up to when a source has sent everything, by its heartbeats or estimated.",
    labelNames: ["source", "kind"],
    registers: [metrics],
    async collect() {
      const lags = lagsOf(await look(), now());
      this.reset();
      for (const [index, { source, kind, seconds }] of lags.entries()) {
        if (index < sourcesMax) this.set({ source, kind }, seconds);
        // The largest of the others is the first of them.
        else if (index === sourcesMax) this.set({ source: allOthers, kind }, seconds);
      }
    },
  });
  new Gauge({
    name: "reckoner_usage_watermark_lag_seconds_max",
    help: "The same of the source that is furthest behind; 0 when there is none.",
    registers: [metrics],
    async collect() {
      const sources = await look();
      // Not zero: nobody knows.
      if (sources === undefined) this.remove();
      else this.set(lagsOf(sources, now())[0]?.seconds ?? 0);
    },
  });
}

/** The furthest behind first. */
function lagsOf(sources: readonly ExpectedSource[] | undefined, now: ReturnType<ApiDependencies["now"]>) {
  return (sources ?? [])
    .map((source) => progressOf(source, now))
    .map(({ source, kind, completeUntil }) => ({ source, kind, seconds: (now - completeUntil) / 1_000 }))
    .toSorted((a, b) => b.seconds - a.seconds);
}

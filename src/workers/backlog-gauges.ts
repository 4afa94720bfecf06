import type { Logger } from "pino";
import { Gauge, type Registry } from "prom-client";
import { sharedRead } from "../api/shared-read.ts";

/** What a gauge says of a backlog. */
export interface BacklogGauge<Backlog> {
  readonly name: string;
  readonly help: string;
  readonly of: (backlog: Backlog) => number;
}

export interface MeasuredBacklog<Backlog> {
  /** As the log calls it. */
  readonly what: string;
  readonly read: () => Promise<Backlog>;
  readonly gauges: readonly BacklogGauge<Backlog>[];
  readonly logger: Logger;
  readonly metrics: Registry;
}

/** Says at each scrape how a backlog stands, by one read for all its gauges; while the database is away, nothing. */
export function measureBacklog<Backlog>(measured: MeasuredBacklog<Backlog>): void {
  const { what, read, gauges, logger, metrics } = measured;
  const look = sharedRead(() =>
    read().catch((error: unknown) => {
      logger.warn({ err: error }, `${what} cannot be measured`);
      return undefined;
    }),
  );
  for (const { name, help, of } of gauges) {
    new Gauge({
      name,
      help,
      registers: [metrics],
      async collect() {
        const backlog = await look();
        // Not zero: nobody knows.
        if (backlog === undefined) this.remove();
        else this.set(of(backlog));
      },
    });
  }
}

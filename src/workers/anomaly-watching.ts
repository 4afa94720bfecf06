import type { Logger } from "pino";
import { Counter, type Registry } from "prom-client";
import { findAnomalies } from "../db/anomalies/find-anomalies.ts";
import type { Database } from "../db/database.ts";
import type { Instant } from "../domain/calendar/index.ts";
import { type RepeatedWork, repeatWork } from "./repeated-work.ts";

export interface AnomalyWatchingOptions {
  readonly db: Database;
  readonly now: () => Instant;
  readonly logger: Logger;
  readonly metrics: Registry;
  /** How often what came up lately is looked through. */
  readonly everyMs?: number;
}

/** For as long as the worker runs: opens a case for what is unlike everything before. Of several workers each case is opened by one. */
export function startAnomalyWatching(options: AnomalyWatchingOptions): RepeatedWork {
  const { db, now, logger, metrics, everyMs = 15 * 60_000 } = options;
  const opened = new Counter({
    name: "reckoner_anomalies_opened_total",
    help: "Cases opened for something that is unlike everything before",
    registers: [metrics],
  });
  return repeatWork({
    everyMs,
    logger,
    failing: "anomalies cannot be looked for; trying again",
    again: "anomalies are looked for again",
    async work() {
      opened.inc(await findAnomalies(db, now()));
      return false;
    },
  });
}

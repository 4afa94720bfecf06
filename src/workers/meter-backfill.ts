import type { Logger } from "pino";
import { Counter, type Registry } from "prom-client";
import type { Database } from "../db/database.ts";
import { backfillPage } from "../db/usage/meter-backfill-page.ts";
import { type RepeatedWork, repeatWork } from "./repeated-work.ts";

export interface MeterBackfillingOptions {
  readonly db: Database;
  readonly logger: Logger;
  readonly metrics: Registry;
  /** How often it looks for something to do when there was nothing. */
  readonly everyMs?: number;
  /** Events in a page. */
  readonly eventsMax?: number;
}

/**
 * For as long as the worker runs: counts stored events with the meters that somebody asked a backfill for, page by page. Any
 * number of workers may do it, and be stopped at any time: the next goes on where the last page ended.
 */
export function startMeterBackfilling({
  db,
  logger,
  metrics,
  everyMs = 2_000,
  ...page
}: MeterBackfillingOptions): RepeatedWork {
  const made = new Counter({
    name: "reckoner_meter_backfill_contributions_total",
    help: "Contributions of stored events to meters that were published after them",
    registers: [metrics],
  });
  return repeatWork({
    everyMs,
    logger,
    failing: "meters cannot be backfilled; trying again",
    again: "meters are backfilled again",
    async work() {
      const written = await backfillPage(db, page);
      if (written === undefined) return false;
      made.inc(written.contributions);
      if (written.isLast) logger.info({ backfill: `${written.backfill}` }, "a meter's backfill is done");
      return true;
    },
  });
}

import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { Counter, type Registry } from "prom-client";
import type { Database } from "../db/database.ts";
import { backfillPage } from "../db/usage/meter-backfill-page.ts";

export interface MeterBackfilling {
  /** Settles once a page that is under way has been written. */
  stop(): Promise<void>;
}

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
}: MeterBackfillingOptions): MeterBackfilling {
  const made = new Counter({
    name: "reckoner_meter_backfill_contributions_total",
    help: "Contributions of stored events to meters that were published after them",
    registers: [metrics],
  });
  const stopping = new AbortController();
  let isFailing = false;

  /** Whether there may be more to do. A database that is away is waited for: one line when it goes, one when it is back. */
  async function next(): Promise<boolean> {
    try {
      const written = await backfillPage(db, page);
      if (isFailing) logger.info("meters are backfilled again");
      isFailing = false;
      if (written === undefined) return false;
      made.inc(written.contributions);
      if (written.isLast) logger.info({ backfill: `${written.backfill}` }, "a meter's backfill is done");
      return true;
    } catch (error) {
      if (!isFailing) logger.warn({ err: error }, "meters cannot be backfilled; trying again");
      isFailing = true;
      return false;
    }
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      if (!(await next())) await delay(everyMs, undefined, { signal: stopping.signal }).catch(() => {});
    }
  }

  const running = run();
  return {
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

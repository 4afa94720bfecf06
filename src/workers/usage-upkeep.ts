import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { Counter, type Registry } from "prom-client";
import { type Database, inTransaction } from "../db/database.ts";
import { foldUsage } from "../db/usage/folding.ts";

export interface UsageUpkeep {
  /** Settles once a fold that is under way has ended. */
  stop(): Promise<void>;
}

export interface UsageUpkeepOptions {
  readonly db: Database;
  readonly logger: Logger;
  readonly metrics: Registry;
  /** Reads add up what is not folded yet, so this bounds how much that is. */
  readonly everyMs?: number;
}

/**
 * For as long as the worker runs: folds usage into its windows, at once again while there is more. Any number of workers
 * may do it: the database lets one at a time.
 */
export function startUsageUpkeep({ db, logger, metrics, everyMs = 3_000 }: UsageUpkeepOptions): UsageUpkeep {
  const folded = new Counter({
    name: "reckoner_usage_folded_contributions_total",
    help: "Contributions of usage events that were folded into their windows",
    registers: [metrics],
  });
  const stopping = new AbortController();
  let isFailing = false;

  /** A database that is away is waited for: one line when it goes, one when it is back. */
  async function fold(): Promise<boolean> {
    try {
      const { contributions, isBehind } = await inTransaction(db, foldUsage);
      folded.inc(Number(contributions));
      if (isFailing) logger.info("usage is folded again");
      isFailing = false;
      return isBehind;
    } catch (error) {
      if (!isFailing) logger.warn({ err: error }, "usage cannot be folded; trying again");
      isFailing = true;
      return false;
    }
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      const isBehind = await fold();
      if (!isBehind) await delay(everyMs, undefined, { signal: stopping.signal }).catch(() => {});
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

import type { Logger } from "pino";
import { Counter, type Registry } from "prom-client";
import { type Database, inTransaction } from "../db/database.ts";
import { foldUsage } from "../db/usage/folding.ts";
import { type RepeatedWork, repeatWork } from "./repeated-work.ts";

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
export function startUsageUpkeep({
  db,
  logger,
  metrics,
  everyMs = 15_000,
}: UsageUpkeepOptions): RepeatedWork {
  const folded = new Counter({
    name: "reckoner_usage_folded_contributions_total",
    help: "Contributions of usage events that were folded into their windows",
    registers: [metrics],
  });
  return repeatWork({
    everyMs,
    logger,
    failing: "usage cannot be folded; trying again",
    again: "usage is folded again",
    async work() {
      const { contributions, isBehind } = await inTransaction(db, foldUsage);
      folded.inc(Number(contributions));
      return isBehind;
    },
  });
}

import type { Logger } from "pino";
import { Counter, type Registry } from "prom-client";
import { keepUpAllGrants } from "../activities/keep-up-grants.ts";
import type { Database } from "../db/database.ts";
import type { Instant } from "../domain/calendar/index.ts";
import { type RepeatedWork, repeatWork } from "./repeated-work.ts";

export interface GrantUpkeepOptions {
  readonly db: Database;
  /** The wall's time; who is on a test clock has the clock's. */
  readonly now: () => Instant;
  readonly logger: Logger;
  readonly metrics: Registry;
  /** How soon after its instant credit is given, or ends. Closings do it for their customer themselves. */
  readonly everyMs?: number;
}

/**
 * For as long as the worker runs: gives what recurring grants have to give, and ends what has run out of time. Any number of
 * workers may do it: each customer is locked, and who comes second finds nothing to do.
 */
export function startGrantUpkeep({
  db,
  now,
  logger,
  metrics,
  everyMs = 10_000,
}: GrantUpkeepOptions): RepeatedWork {
  const given = new Counter({
    name: "reckoner_recurring_grants_given_total",
    help: "Times that a recurring grant gave credit",
    registers: [metrics],
  });
  const ended = new Counter({
    name: "reckoner_credit_grants_ended_total",
    help: "Credit grants that ran out of time",
    registers: [metrics],
  });
  return repeatWork({
    everyMs,
    logger,
    failing: "credit grants cannot be kept up; trying again",
    again: "credit grants are kept up again",
    async work() {
      const kept = await keepUpAllGrants(db, now());
      given.inc(kept.given);
      ended.inc(kept.ended);
      return kept.hasMore;
    },
  });
}

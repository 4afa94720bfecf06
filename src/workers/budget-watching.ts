import type { Logger } from "pino";
import { Counter, type Registry } from "prom-client";
import type { ActivityDependencies } from "../activities/dependencies.ts";
import { BudgetPasses } from "../activities/look-at-budgets.ts";
import { type RepeatedWork, repeatWork } from "./repeated-work.ts";

export interface BudgetWatchingOptions {
  readonly deps: Pick<ActivityDependencies, "db" | "gateway" | "now">;
  readonly logger: Logger;
  readonly metrics: Registry;
  /** How long after a pass the next begins: so much later than it was crossed a crossing may be told. */
  readonly everyMs?: number;
  /** After so many passes over what has changed comes one over everything, whatever was or was not noticed. */
  readonly changedPasses?: number;
}

/** For as long as the worker runs: tells what alerts have to tell, and has credit bought by itself. Any number of workers may do it. */
export function startBudgetWatching({
  deps,
  logger,
  metrics,
  everyMs = 10_000,
  changedPasses = 360,
}: BudgetWatchingOptions): RepeatedWork {
  const counter = (name: string, help: string) => new Counter({ name, help, registers: [metrics] });
  const lookedAt = counter("reckoner_budget_looks_total", "How often a customer's budgets were looked at");
  const told = counter("reckoner_alert_crossings_total", "Crossings that alerts have told");
  const begun = counter("reckoner_top_ups_begun_total", "Purchases of credit that began by themselves");
  const passes = new BudgetPasses(deps);
  let passed = 0;
  return repeatWork({
    everyMs,
    logger,
    failing: "budgets cannot be looked at; trying again",
    again: "budgets are looked at again",
    async work() {
      const look = await passes.next(deps.now());
      lookedAt.inc(look.lookedAt);
      told.inc(look.told);
      begun.inc(look.begun);
      if (!look.hasMore) passed += 1;
      if (passed > changedPasses) {
        passed = 0;
        passes.forget();
      }
      if (look.failure !== undefined) throw look.failure;
      return look.hasMore;
    },
  });
}

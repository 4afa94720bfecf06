import type { Logger } from "pino";
import { Counter, type Registry } from "prom-client";
import { ThresholdPasses } from "../activities/bill-thresholds.ts";
import type { ActivityDependencies } from "../activities/dependencies.ts";
import { type RepeatedWork, repeatWork } from "./repeated-work.ts";

export interface ThresholdBillingOptions {
  readonly deps: Pick<ActivityDependencies, "db" | "gateway" | "now">;
  readonly logger: Logger;
  readonly metrics: Registry;
  /** How long after a pass the next begins: so much later than it was reached a threshold may be billed. */
  readonly everyMs?: number;
  /** After so many passes over what has changed comes one over everything, whatever was or was not noticed. */
  readonly changedPasses?: number;
}

/**
 * For as long as the worker runs: bills the periods that have reached a threshold of their plan, and has the invoices collected.
 * Any number of workers may do it: each customer is locked, and who comes second finds nothing to do.
 */
export function startThresholdBilling({
  deps,
  logger,
  metrics,
  everyMs = 10_000,
  changedPasses = 60,
}: ThresholdBillingOptions): RepeatedWork {
  const issued = new Counter({
    name: "reckoner_threshold_invoices_total",
    help: "Invoices that were issued because a period had reached a threshold",
    registers: [metrics],
  });
  const lookedAt = new Counter({
    name: "reckoner_threshold_looks_total",
    help: "How often the period of a subscription was rated to see whether it has reached a threshold",
    registers: [metrics],
  });
  const passes = new ThresholdPasses(deps);
  let passed = 0;
  return repeatWork({
    everyMs,
    logger,
    failing: "thresholds cannot be billed; trying again",
    again: "thresholds are billed again",
    async work() {
      const billed = await passes.next(deps.now());
      issued.inc(billed.issued);
      lookedAt.inc(billed.lookedAt);
      if (!billed.hasMore) passed += 1;
      if (passed > changedPasses) {
        passed = 0;
        passes.forget();
      }
      if (billed.failure !== undefined) throw billed.failure;
      return billed.hasMore;
    },
  });
}

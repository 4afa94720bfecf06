import type { Logger } from "pino";
import { Counter, type Registry } from "prom-client";
import { billThresholds } from "../activities/bill-thresholds.ts";
import type { ActivityDependencies } from "../activities/dependencies.ts";
import { type RepeatedWork, repeatWork } from "./repeated-work.ts";

export interface ThresholdBillingOptions {
  readonly deps: Pick<ActivityDependencies, "db" | "gateway" | "now">;
  readonly logger: Logger;
  readonly metrics: Registry;
  /** How long after all have been looked at it begins again: so much later than it was reached a threshold may be billed. */
  readonly everyMs?: number;
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
}: ThresholdBillingOptions): RepeatedWork {
  const issued = new Counter({
    name: "reckoner_threshold_invoices_total",
    help: "Invoices that were issued because a period had reached a threshold",
    registers: [metrics],
  });
  let after = "";
  return repeatWork({
    everyMs,
    logger,
    failing: "thresholds cannot be billed; trying again",
    again: "thresholds are billed again",
    async work() {
      const billed = await billThresholds(deps, deps.now(), after);
      issued.inc(billed.issued);
      after = billed.next ?? "";
      if (billed.failure !== undefined) throw billed.failure;
      return billed.next !== null;
    },
  });
}

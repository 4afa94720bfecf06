import { type Instant, instantOfEpochMs } from "../calendar/index.ts";
import type { TaxHandling } from "./tax-lines.ts";

/** Who reckons the tax of those customers of whom nothing else is said, and how long it is waited for. */
export interface TaxPolicy {
  readonly handling: TaxHandling;
  /** So many days after a period could have been closed, operators are shown that it waits for tax. */
  readonly waitDays: number;
}

export const usualTaxPolicy: TaxPolicy = { handling: "none", waitDays: 3 };

const dayMs = 86_400_000;
const stepMsMin = 3_600_000;

/** When a close that waits for tax is looked at again, if nobody says that it has come, and when operators are shown it. */
export interface TaxWait {
  readonly until: Instant;
  readonly overdueAt: Instant;
}

/**
 * Waits as long again as it has waited, at least an hour and at most a day. There is no end to it: an invoice is not issued
 * without its tax.
 * @param dueAt the period's end and its grace
 */
export function waitForTax(dueAt: Instant, at: Instant, { waitDays }: Pick<TaxPolicy, "waitDays">): TaxWait {
  const stepMs = Math.min(Math.max(at - dueAt, stepMsMin), dayMs);
  return {
    until: instantOfEpochMs(at + stepMs),
    overdueAt: instantOfEpochMs(dueAt + waitDays * dayMs),
  };
}

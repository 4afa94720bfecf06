import type { Instant } from "../calendar/index.ts";
import type { BillingThresholds } from "../catalog/index.ts";
import { type Decimal, decimal, sumDecimals, zero } from "../money/index.ts";
import { adjustmentLines } from "./adjustment-lines.ts";
import { type ClosedPart, type ClosedPeriod, type PeriodFacts, settle } from "./close-period.ts";
import { correctionOf } from "./correction.ts";
import { type RatedPeriod, ratePeriod } from "./rate-period.ts";
import { type Terms, termsAt } from "./terms.ts";
import { usageLines } from "./usage-charges.ts";
import { creditPolicyOf } from "./usage-credit.ts";

/** By which amounts a period is billed before it ends: those of the plan in force that the subscription is of. */
export function thresholdsAt(terms: readonly Terms[], at: Instant): BillingThresholds | undefined {
  return termsAt(terms, at).items[0]?.plan.thresholds;
}

/** How many thresholds an amount has reached, in minor units: those that are listed, and each further step after the last. */
export function thresholdsReached(
  { amountsMinor, recurringMinor }: BillingThresholds,
  amount: Decimal,
): bigint {
  const reached = amountsMinor.filter((step) => !amount.isLessThan(decimal(step)));
  const last = amountsMinor.at(-1);
  if (recurringMinor === undefined || last === undefined || reached.length < amountsMinor.length) {
    return BigInt(reached.length);
  }
  const beyond = amount.minus(decimal(last)).dividedBy(decimal(recurringMinor), 0, "down");
  return BigInt(reached.length) + beyond.toBigInt();
}

/**
 * What thresholds measure: the usage of a period so far with the discounts, caps and overage on it, cumulative and exact, in
 * minor units. Fees, and what is missing to a minimum, are due at the period's end.
 */
export function chargedSoFar({ rated, adjusted }: Pick<RatedPeriod, "rated" | "adjusted">): Decimal {
  const parts = [...rated.map((each) => each.rated.exactMinor), ...adjusted.map((part) => part.exactMinor)];
  return parts.length === 0 ? zero : sumDecimals(parts);
}

/** Rates the usage of a period that goes on. */
export const ratedSoFar = (facts: PeriodFacts): RatedPeriod => ratePeriod(facts, facts, "open");

/**
 * Works out the invoice of a threshold: the usage of the period so far, with what is taken off it, less what earlier ones billed.
 * What came late of other periods, changes that wait and amounts carried forward are left to the invoice of the period.
 */
export function billSoFar(facts: PeriodFacts): ClosedPeriod {
  const { before } = facts;
  const own = ratedSoFar(facts);
  const { rated, adjusted } = own;
  const policy = creditPolicyOf(facts.terms, facts.period);
  const rest = before === undefined ? null : correctionOf(own, before, policy, "thresholds");
  const lines = rest?.lines ?? [...usageLines(rated, null), ...adjustmentLines(adjusted, null)];
  const part: ClosedPart = { lines, rated, adjusted, late: [], rest, corrections: [] };
  const { parts, totals } = settle([{ ...facts, late: [] }], [part]);
  return { ...part, ...parts[0], totals };
}

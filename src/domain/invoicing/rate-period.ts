import type { Period } from "../calendar/index.ts";
import { adjustPeriod } from "./adjust-period.ts";
import type { LatePeriod, PeriodFacts } from "./close-period.ts";
import type { InvoiceLine } from "./invoice-line.ts";
import type { RatedAdjustment } from "./rated-adjustment.ts";
import { pricedTerms } from "./terms.ts";
import { arrearsLines } from "./time-charges.ts";
import { type RatedUsage, rateStretches, type StretchUsage } from "./usage-charges.ts";
import type { RatedUntil } from "./usage-credit.ts";

/** What a period comes to, cumulative. */
export interface RatedPeriod {
  readonly period: Period;
  readonly rated: readonly RatedUsage[];
  readonly adjusted: readonly RatedAdjustment[];
  /** In arrears. */
  readonly fees: readonly InvoiceLine[];
}

/**
 * Rates the usage of a period, its fees in arrears, and the adjustments on both.
 * @param stage open: while the period goes on, when there are no fees yet and nothing is missing to a minimum
 */
export function ratePeriod(
  facts: Pick<LatePeriod, "period" | "full" | "meters" | "usage" | "periodIndex" | "advance">,
  { currency, timeZone = "UTC" }: Pick<PeriodFacts, "currency" | "timeZone">,
  stage: "open" | "period" = "period",
): RatedPeriod {
  const { period, full, meters, periodIndex = 0, advance = [] } = facts;
  const usage = pricedUsage(facts.usage, periodIndex);
  const stretches = usage.map(({ stretch }) => stretch);
  const rated = rateStretches(usage, { full, timeZone }, meters);
  const fees = stage === "open" ? [] : arrearsLines(stretches, full, timeZone);
  const charges = { period, full, timeZone, periodIndex, currency, stretches, rated, fees, advance };
  return { period, rated, fees, adjusted: adjustPeriod(charges, stage) };
}

/** What usage came to until each instant at which what may pay for it changes: of a period, and of those with late usage. */
export function ratedUntil({ late, ...own }: PeriodFacts): RatedUntil[] {
  const { timeZone = "UTC" } = own;
  return [own, ...late].flatMap(({ usageUntil = [], full, meters, periodIndex = 0 }) => {
    const rate = (usage: readonly StretchUsage[]) =>
      rateStretches(pricedUsage(usage, periodIndex), { full, timeZone }, meters);
    return usageUntil.map(({ at, usage, before }) => ({
      at,
      rated: rate(usage),
      ...(before === undefined ? {} : { before: rate(before) }),
    }));
  });
}

function pricedUsage(usage: readonly StretchUsage[], periodIndex: number): StretchUsage[] {
  return usage.map(({ stretch, ...read }) => {
    const [terms = stretch.terms] = pricedTerms([stretch.terms], periodIndex);
    return { ...read, stretch: { ...stretch, terms } };
  });
}

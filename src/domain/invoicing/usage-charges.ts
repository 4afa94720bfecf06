import type { Period } from "../calendar/index.ts";
import type { PlanVersion, UsagePrice } from "../catalog/index.ts";
import type { Meter } from "../metering/index.ts";
import { type Decimal, type Money, roundToMinor, subtractMoney, zero } from "../money/index.ts";
import { type MeasuredBucket, type RatedAmount, rateUsage } from "../rating/index.ts";
import { type AllowanceShare, Allowances } from "./allowance.ts";
import { type BilledAs, billedAtThresholds, differenceTitle } from "./billed-before.ts";
import type { InvoiceLine } from "./invoice-line.ts";
import { type MeterReading, type PriceReading, priceMeasure } from "./price-measure.ts";
import type { Terms, TermsStretch } from "./terms.ts";
import type { PeriodFrame } from "./time-charges.ts";

/** A stretch of unchanged terms with everything that was used in it. */
export interface StretchUsage {
  readonly stretch: TermsStretch;
  readonly readings: readonly MeterReading[];
  /** Of the prices that need to know more than what their meter read. */
  readonly priceReadings?: readonly PriceReading[];
}

/** The cumulative result of rating one price over one stretch. */
export interface RatedUsage {
  readonly stretch: Period;
  readonly plan: PlanVersion;
  readonly price: UsagePrice;
  readonly rated: RatedAmount;
  /** What the quantity is made of, where it is the sum of maxima. */
  readonly maxima?: readonly MeasuredBucket[];
  /** How what a whole period includes was shared, where the stretch is a part of one. */
  readonly share?: AllowanceShare;
}

/** What an earlier run of the same period came to, as it was stored. */
export interface BookedUsage {
  readonly termsStart: number;
  readonly planKey: string;
  readonly priceKey: string;
  readonly quantity: Decimal;
  readonly exactMinor: Decimal;
}

/**
 * Rates every usage price of the terms over every stretch, from nothing: tiers never restart and nothing doubles.
 * @param usage of a period from its start on, in the order of time
 */
export function rateStretches(
  usage: readonly StretchUsage[],
  frame: PeriodFrame,
  meters: readonly Meter[],
): RatedUsage[] {
  const allowances = new Allowances(frame);
  return usage.flatMap(({ stretch, readings, priceReadings = [] }, index) =>
    usagePricesOf(stretch.terms).map(({ plan, price }) => {
      const reading = priceReadings.find(
        ({ planKey, priceKey }) => planKey === plan.key && priceKey === price.key,
      );
      const measure = priceMeasure(price, readings, reading, meters);
      const { model, included, share } = allowances.of(plan, price, stretch, index === 0);
      const rated = rateUsage(model, measure, included, price.negative);
      allowances.use(plan, price, rated, measure);
      return {
        stretch: { start: stretch.start, end: stretch.end },
        plan,
        price,
        rated,
        ...(measure.maxima === undefined ? {} : { maxima: measure.maxima }),
        ...(share === undefined ? {} : { share }),
      };
    }),
  );
}

/** The usage prices of terms, with the plans that they are of. */
export function usagePricesOf({
  items,
}: Terms): { readonly plan: PlanVersion; readonly price: UsagePrice }[] {
  return items.flatMap(({ plan }) =>
    plan.prices.filter((price) => price.type === "usage").map((price) => ({ plan, price })),
  );
}

/**
 * The lines that rated usage makes beyond what was booked before. A first run has nothing booked, and its lines are
 * plain usage; later ones bill the difference only, labelled with why and with the period it belongs to. Rounding is of the
 * cumulative amounts, so all lines of a price together are its total, rounded once.
 */
export function usageLines(
  rated: readonly RatedUsage[],
  booked: readonly BookedUsage[] | null,
  billed: BilledAs = "late",
): InvoiceLine[] {
  return rated.flatMap(({ stretch, plan, price, rated: result, maxima, share }) => {
    const row = booked?.find(
      ({ termsStart, planKey, priceKey }) =>
        termsStart === stretch.start && planKey === plan.key && priceKey === price.key,
    );
    const before = row === undefined ? null : { ...row, amount: chargeOf(plan, row.exactMinor) };
    const quantity = result.quantity.minus(before?.quantity ?? zero);
    const exactMinor = result.exactMinor.minus(before?.exactMinor ?? zero);
    if (quantity.isZero() && exactMinor.isZero()) return [];
    const whole = chargeOf(plan, result.exactMinor);
    const amount = before === null ? whole : subtractMoney(whole, before.amount);
    const title = `${plan.name}: ${price.name}`;
    return [
      {
        kind: booked === null || billed === "thresholds" ? ("usage" as const) : ("late_usage" as const),
        earning: "unbilled" as const,
        description: booked === null ? title : differenceTitle(title, billed, before),
        product: price.product,
        source: { planKey: plan.key, planVersion: plan.version, priceKey: price.key },
        period: stretch,
        quantity,
        exactMinor,
        amount,
        detail: {
          unit: price.unitLabel,
          cumulativeQuantity: result.quantity.text,
          includedQuantity: result.includedQuantity.text,
          ...(share === undefined ? {} : { includedShare: share }),
          cumulativeExactMinor: result.exactMinor.text,
          tiers: result.tiers,
          ...(maxima === undefined ? {} : { maxima }),
          ...billedAtThresholds(billed, before),
        },
      },
    ];
  });
}

/** What an exact amount is charged as: rounded once. */
export const chargeOf = ({ currency }: PlanVersion, exactMinor: Decimal): Money =>
  roundToMinor(exactMinor, currency);

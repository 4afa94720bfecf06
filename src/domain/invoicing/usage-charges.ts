import type { Period } from "../calendar/index.ts";
import type { PlanVersion, UsagePrice } from "../catalog/index.ts";
import {
  aggregate,
  type Dimensions,
  dimensionsKey,
  inUnit,
  isComposable,
  type Meter,
} from "../metering/index.ts";
import {
  type Decimal,
  decimal,
  Fraction,
  type Money,
  roundToMinor,
  subtractMoney,
  zero,
} from "../money/index.ts";
import { prorateIncluded } from "../proration/index.ts";
import { type RatedAmount, rateUsage } from "../rating/index.ts";
import type { InvoiceLine } from "./invoice-line.ts";
import type { TermsStretch } from "./terms.ts";

/**
 * What a meter read in one stretch, for one value of its dimensions; not yet in the meter's unit. Of a meter that is not
 * composable: for all usage that has the dimensions of a price.
 */
export interface MeterReading {
  readonly meterKey: string;
  readonly dimensions: Dimensions;
  readonly quantity: Decimal;
}

/** A stretch of unchanged terms with everything that was used in it. */
export interface StretchUsage {
  readonly stretch: TermsStretch;
  readonly readings: readonly MeterReading[];
}

/** The cumulative result of rating one price over one stretch. */
export interface RatedUsage {
  readonly stretch: Period;
  readonly plan: PlanVersion;
  readonly price: UsagePrice;
  readonly rated: RatedAmount;
}

/** What an earlier run of the same period came to, as it was stored. */
export interface BookedUsage {
  readonly termsStart: number;
  readonly planKey: string;
  readonly priceKey: string;
  readonly quantity: Decimal;
  readonly exactMinor: Decimal;
}

/** Rates every usage price of the terms over every stretch, from nothing: tiers never restart and nothing doubles. */
export function rateStretches(
  usage: readonly StretchUsage[],
  period: Period,
  meters: readonly Meter[],
): RatedUsage[] {
  return usage.flatMap(({ stretch, readings }) =>
    stretch.terms.items.flatMap(({ plan }) =>
      plan.prices
        .filter((price) => price.type === "usage")
        .map((price) => ({
          stretch: { start: stretch.start, end: stretch.end },
          plan,
          price,
          rated: rateUsage(
            price.model,
            quantityFor(price, readings, meters),
            prorateIncluded(decimal(price.included), period, stretch),
          ),
        })),
    ),
  );
}

/**
 * The lines that rated usage makes beyond what was booked before. A first run has nothing booked, and its lines are
 * plain usage; later ones bill the difference only, labelled with the period it belongs to. Rounding is of the
 * cumulative amounts, so all lines of a price together are its total, rounded once.
 */
export function usageLines(
  rated: readonly RatedUsage[],
  booked: readonly BookedUsage[] | null,
): InvoiceLine[] {
  return rated.flatMap(({ stretch, plan, price, rated: result }) => {
    const before = booked?.find(
      (row) => row.termsStart === stretch.start && row.planKey === plan.key && row.priceKey === price.key,
    );
    const quantity = result.quantity.minus(before?.quantity ?? zero);
    const exactMinor = result.exactMinor.minus(before?.exactMinor ?? zero);
    if (quantity.isZero() && exactMinor.isZero()) return [];
    const amount = subtractMoney(
      chargeOf(plan, result.exactMinor),
      chargeOf(plan, before?.exactMinor ?? zero),
    );
    const title = `${plan.name}: ${price.name}`;
    return [
      {
        kind: booked === null ? ("usage" as const) : ("late_usage" as const),
        earning: "unbilled" as const,
        description: booked === null ? title : `${title}, reported late`,
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
          cumulativeExactMinor: result.exactMinor.text,
          tiers: result.tiers,
        },
      },
    ];
  });
}

/** What an exact amount is charged as: rounded once. */
export const chargeOf = ({ currency }: PlanVersion, exactMinor: Decimal): Money =>
  roundToMinor(exactMinor, currency);

function quantityFor(
  price: UsagePrice,
  readings: readonly MeterReading[],
  meters: readonly Meter[],
): Decimal {
  const meter = meters.find(({ key }) => key === price.meter) ?? { aggregation: "sum" };
  if (!isComposable(meter.aggregation)) {
    const read = readings.find(
      ({ meterKey, dimensions }) =>
        meterKey === price.meter && dimensionsKey(dimensions) === dimensionsKey(price.where),
    );
    return inUnit(meter, Fraction.ofDecimal(read?.quantity ?? zero));
  }
  const wanted = Object.entries(price.where);
  const matching = readings.filter(
    ({ meterKey, dimensions }) =>
      meterKey === price.meter && wanted.every(([name, value]) => dimensions[name] === value),
  );
  const whole = aggregate(
    meter.aggregation,
    matching.map(({ quantity }) => quantity),
  );
  return inUnit(meter, Fraction.ofDecimal(whole));
}

import { contains, type Instant, type Period } from "../calendar/index.ts";
import type { PlanVersion, UsagePrice } from "../catalog/index.ts";
import {
  type MeterReading,
  type PriceReading,
  type RatedUsage,
  rateStretches,
  type StretchUsage,
} from "../invoicing/index.ts";
import type { Dimensions, Meter } from "../metering/index.ts";
import { parseFactor } from "../metering/unit.ts";
import { type Decimal, Fraction, sumDecimals } from "../money/index.ts";

/** A period of a subscription with what was used in it; its terms have the prices that they have in that period. */
export interface UsedPeriod {
  readonly period: Period;
  readonly full: Period;
  readonly timeZone: string;
  readonly meters: readonly Meter[];
  readonly usage: readonly StretchUsage[];
}

/** More of a meter, as if it were used now. */
export interface MoreUsage {
  readonly meterKey: string;
  /** In the meter's unit. */
  readonly quantity: Decimal;
  readonly dimensions: Dimensions;
  readonly at: Instant;
}

/** What more usage adds to the charge of one price, in minor units, exact. */
export interface AddedCharge {
  readonly plan: PlanVersion;
  readonly price: UsagePrice;
  readonly billed: Period;
  readonly exactMinor: Decimal;
}

/** What a period comes to, as its closing would rate it: before discounts, minimums and commitments. */
export const ratedUsageOf = ({ usage, full, timeZone, meters }: UsedPeriod): RatedUsage[] =>
  rateStretches(usage, { full, timeZone }, meters);

/**
 * What more usage adds: the charges with it less those without, so that tiers, packages and what is included are where the
 * period is. Null where that cannot be told ahead: of a meter that does not add up.
 */
export function addedCharges(used: UsedPeriod, more: MoreUsage): AddedCharge[] | null {
  const meter = used.meters.find(({ key }) => key === more.meterKey);
  if (meter === undefined) return [];
  if (meter.aggregation !== "count" && meter.aggregation !== "sum") return null;
  const before = ratedUsageOf(used);
  const raw = rawQuantity(meter, more.quantity);
  const after = ratedUsageOf({ ...used, usage: used.usage.map((part) => withMore(part, more, raw)) });
  return after.flatMap(({ plan, price, rated }, index) => {
    const exactMinor = rated.exactMinor.minus(before[index]?.rated.exactMinor ?? rated.exactMinor);
    return exactMinor.isZero() ? [] : [{ plan, price, billed: used.period, exactMinor }];
  });
}

/** In the measure of events, which the meter's unit is a multiple of; at most 12 decimals, rounded up. */
function rawQuantity({ unit }: Meter, quantity: Decimal): Decimal {
  if (unit?.factor === undefined) return quantity;
  return Fraction.ofDecimal(quantity).dividedBy(parseFactor(unit.factor)).rounded(12, "up");
}

function withMore(part: StretchUsage, { meterKey, dimensions, at }: MoreUsage, raw: Decimal): StretchUsage {
  if (!contains(part.stretch, at)) return part;
  const reading: MeterReading = { meterKey, dimensions, quantity: raw };
  const readings = withReading(part.readings, reading);
  if (part.priceReadings === undefined) return { ...part, readings };
  const meterOf = new Map(
    part.stretch.terms.items.flatMap(({ plan }) =>
      plan.prices.flatMap((price) =>
        price.type === "usage" ? [[`${plan.key}/${price.key}`, price.meter] as const] : [],
      ),
    ),
  );
  const priceReadings = part.priceReadings.map((each): PriceReading => {
    if (meterOf.get(`${each.planKey}/${each.priceKey}`) !== meterKey) return each;
    return {
      ...each,
      ...(each.events === undefined ? {} : { events: [...each.events, raw] }),
      ...(each.costs === undefined ? {} : { costs: withCost(each.costs, reading) }),
    };
  });
  return { ...part, readings, priceReadings };
}

/** Costs are those that hold at the end of what is known. */
function withCost(
  costs: NonNullable<PriceReading["costs"]>,
  reading: MeterReading,
): NonNullable<PriceReading["costs"]> {
  return costs.map((each, index) =>
    index === costs.length - 1 ? { ...each, readings: withReading(each.readings, reading) } : each,
  );
}

/** One reading for each combination of dimensions. */
function withReading(readings: readonly MeterReading[], added: MeterReading): MeterReading[] {
  const isSame = ({ meterKey, dimensions }: MeterReading) =>
    meterKey === added.meterKey &&
    Object.entries(added.dimensions).every(([name, value]) => dimensions[name] === value);
  const same = readings.find(isSame);
  if (same === undefined) return [...readings, added];
  return readings.map((each) =>
    each === same ? { ...each, quantity: each.quantity.plus(added.quantity) } : each,
  );
}

/** What was charged between two instants of a period: what it came to by the later one less by the earlier. */
export interface SpentPart {
  readonly until: readonly RatedUsage[];
  readonly before: readonly RatedUsage[];
}

/** What usage of some features came to, in minor units, exact; of all when no features are named. */
export function spentOn(caps: readonly string[] | undefined, parts: readonly SpentPart[]): Decimal {
  const charged = (rated: readonly RatedUsage[]) =>
    sumDecimals(rated.filter(({ price }) => isCapped(caps, price)).map((each) => each.rated.exactMinor));
  return sumDecimals(parts.map(({ until, before }) => charged(until).minus(charged(before))));
}

/** Whether a budget caps what a price charges. */
export const isCapped = (caps: readonly string[] | undefined, { feature }: UsagePrice): boolean =>
  caps === undefined || (feature !== undefined && caps.includes(feature));

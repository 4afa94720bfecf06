import { type Instant, isoOf } from "../calendar/index.ts";
import type { CostPlusModel, CostTableVersion, UsagePrice } from "../catalog/index.ts";
import {
  aggregate,
  type Dimensions,
  dimensionsKey,
  inUnit,
  isComposable,
  type Meter,
} from "../metering/index.ts";
import { type Decimal, decimal, Fraction, sumDecimals, zero } from "../money/index.ts";
import type { MeasuredBucket, MeasuredCell, UnitCost, UsageMeasure } from "../rating/index.ts";

/**
 * What a meter read in one stretch, for one value of its dimensions; not yet in the meter's unit. Of a meter that is not
 * composable: for all usage that has the dimensions of a price.
 */
export interface MeterReading {
  readonly meterKey: string;
  readonly dimensions: Dimensions;
  readonly quantity: Decimal;
}

/** What a price needs to know of a stretch beside the readings of its meter; not yet in the meter's unit. */
export interface PriceReading {
  readonly planKey: string;
  readonly priceKey: string;
  /** For a percentage that judges events: what each contributed, in the order of their times. */
  readonly events?: readonly Decimal[];
  /** For maxima by the hour or day: each that was used, in the order of time. */
  readonly buckets?: readonly { readonly start: Instant; readonly quantity: Decimal }[];
  /** For cost_plus: the stretch cut where costs change, in the order of time, with the costs that held. */
  readonly costs?: readonly CostReading[];
}

export interface CostReading {
  readonly version: CostTableVersion;
  readonly readings: readonly MeterReading[];
}

/** What a meter that nobody knows is taken for. */
const plainSum: Pick<Meter, "aggregation"> = { aggregation: "sum" };

type Converted = Pick<Meter, "aggregation" | "unit">;

/** What a price is reckoned on, in the meter's unit. */
export function priceMeasure(
  price: UsagePrice,
  readings: readonly MeterReading[],
  reading: PriceReading | undefined,
  meters: readonly Meter[],
): UsageMeasure {
  const meter = meters.find(({ key }) => key === price.meter) ?? plainSum;
  if (reading?.buckets !== undefined) return bucketMeasure(price, meter, reading.buckets);
  const total = quantityFor(price, meter, readings);
  switch (price.model.type) {
    case "matrix":
      return { total, cells: cellsOf(meter, matching(price, readings)) };
    case "cost_plus":
      return { total, cells: costedCells(price, price.model, meter, reading?.costs ?? []) };
    default:
      return reading?.events === undefined ? { total } : { total, events: reading.events };
  }
}

function quantityFor(price: UsagePrice, meter: Converted, readings: readonly MeterReading[]): Decimal {
  if (!isComposable(meter.aggregation)) {
    const read = readings.find(
      ({ meterKey, dimensions }) =>
        meterKey === price.meter && dimensionsKey(dimensions) === dimensionsKey(price.where),
    );
    return inUnit(meter, Fraction.ofDecimal(read?.quantity ?? zero));
  }
  const whole = aggregate(
    meter.aggregation,
    matching(price, readings).map(({ quantity }) => quantity),
  );
  return inUnit(meter, Fraction.ofDecimal(whole));
}

/** The readings that a price is for. */
function matching({ meter, where }: UsagePrice, readings: readonly MeterReading[]): MeterReading[] {
  const wanted = Object.entries(where);
  return readings.filter(
    ({ meterKey, dimensions }) =>
      meterKey === meter && wanted.every(([name, value]) => dimensions[name] === value),
  );
}

function cellsOf(meter: Converted, readings: readonly MeterReading[]): MeasuredCell[] {
  // Where parts are rounded, which of them takes the rest must not depend on the order in which they were read.
  const keyed = readings.map((reading) => ({ ...reading, key: dimensionsKey(reading.dimensions) }));
  const ordered = keyed.toSorted((one, other) => (one.key < other.key ? -1 : 1));
  const quantities = inUnits(
    meter,
    ordered.map(({ quantity }) => quantity),
  );
  return ordered.map(({ dimensions }, index) => ({ dimensions, quantity: quantities[index] ?? zero }));
}

function costedCells(
  price: UsagePrice,
  model: CostPlusModel,
  meter: Converted,
  costs: readonly CostReading[],
): MeasuredCell[] {
  const rows = costs.flatMap(({ version, readings }) => {
    const costOf = unitCosts(model, version);
    return matching(price, readings).map(({ dimensions, quantity }) => ({
      dimensions,
      quantity,
      cost: costOf(dimensions),
    }));
  });
  const quantities = inUnits(
    meter,
    rows.map(({ quantity }) => quantity),
  );
  return rows.map((row, index) => ({ ...row, quantity: quantities[index] ?? zero }));
}

function unitCosts(
  { dimensions: names, tokenClass }: CostPlusModel,
  version: CostTableVersion,
): (dimensions: Dimensions) => UnitCost {
  const costs = new Map(
    version.rows.map(({ values, costs: ofRow }) => [dimensionsKey(values), ofRow[tokenClass]]),
  );
  return (dimensions) => {
    const values = Object.fromEntries(names.map((name) => [name, dimensions[name] ?? ""]));
    const cost = costs.get(dimensionsKey(values));
    return { unitCostMinor: cost === undefined ? null : decimal(cost), since: version.effectiveAt };
  };
}

/** The maxima in their order; their sum, where they are priced together. */
function bucketMeasure(
  { buckets }: UsagePrice,
  meter: Converted,
  maxima: NonNullable<PriceReading["buckets"]>,
): UsageMeasure {
  const quantities = inUnits(
    meter,
    maxima.map(({ quantity }) => quantity),
  );
  const total = sumDecimals(quantities);
  const measured = maxima.map(
    ({ start }, index): MeasuredBucket => ({ start: isoOf(start), quantity: quantities[index] ?? zero }),
  );
  return buckets?.price === "each" ? { total, buckets: measured } : { total, maxima: measured };
}

/** Parts of one quantity in a unit: each is rounded so that together they are the whole, converted and rounded once. */
function inUnits(meter: Converted, parts: readonly Decimal[]): Decimal[] {
  if (meter.unit === undefined) return [...parts];
  let raw = zero;
  let converted = zero;
  return parts.map((part) => {
    raw = raw.plus(part);
    const before = converted;
    converted = inUnit(meter, Fraction.ofDecimal(raw));
    return converted.minus(before);
  });
}

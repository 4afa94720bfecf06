import type { Period } from "../calendar/index.ts";
import { type Decimal, Fraction, sumDecimals, zero } from "../money/index.ts";
import { areaOver } from "./levels.ts";
import type { Aggregation, Meter } from "./meter.ts";
import { parseFactor, roundingOf } from "./unit.ts";
import { mergeStates, type WindowState } from "./window-state.ts";

/**
 * One combination of dimension values in a period: the states of its windows in that period (pieces of windows at the
 * period's ends included), in any order, and the level that held when the period began, for time_weighted_sum.
 */
export type Series = {
  readonly states: readonly WindowState[];
  /** The last level before the period; null when there was none, and for other aggregations. */
  readonly carryIn: Decimal | null;
};

/** Where quantities that have no end, such as a third, are rounded, half to even. */
export const endlessDecimals = 12;

/** Quantities have 20 decimals at most, and 3 more when milliseconds become seconds: nothing is lost. */
const exactDecimals = 23;

const millisecondsPerSecond = new Fraction(1000n);

/**
 * What a meter reads in a period for the series given: all of the meter's, or those a price is for. Zero when there
 * are no events. In the meter's unit, rounded as that says; without one it is exact, except that an average has at
 * most 12 decimals. A time_weighted_sum is in quantity × seconds, each series holding its own level; end the period of
 * one that still runs at the present.
 */
export function quantityOf(
  meter: Pick<Meter, "aggregation" | "unit">,
  series: readonly Series[],
  period: Period,
): Decimal {
  return inUnit(meter, exactQuantity(meter.aggregation, series, period));
}

/** A quantity that was put together in the meter's own measure, in its unit and rounded once. */
export function inUnit({ aggregation, unit }: Pick<Meter, "aggregation" | "unit">, exact: Fraction): Decimal {
  const { factor, decimals } = unit ?? {};
  const isEndless = aggregation === "average" || factor !== undefined;
  const converted = factor === undefined ? exact : exact.times(parseFactor(factor));
  const mode = unit === undefined ? "half-even" : roundingOf(unit);
  return converted.rounded(decimals ?? (isEndless ? endlessDecimals : exactDecimals), mode);
}

function exactQuantity(aggregation: Aggregation, series: readonly Series[], period: Period): Fraction {
  if (aggregation !== "time_weighted_sum") {
    return readingOf(aggregation, mergeStates(series.flatMap(({ states }) => states)));
  }
  const areas = series.map(({ states, carryIn }) => areaOver(period, carryIn, mergeStates(states).levels));
  return Fraction.ofDecimal(sumDecimals(areas)).dividedBy(millisecondsPerSecond);
}

function readingOf(
  aggregation: Exclude<Aggregation, "time_weighted_sum">,
  { count, sum, min, max, latest, values }: WindowState,
): Fraction {
  switch (aggregation) {
    case "count":
      return new Fraction(count);
    case "sum":
      return Fraction.ofDecimal(sum);
    case "min":
      return Fraction.ofDecimal(min ?? zero);
    case "max":
      return Fraction.ofDecimal(max ?? zero);
    case "latest":
      return Fraction.ofDecimal(latest?.quantity ?? zero);
    case "unique_count":
      return new Fraction(BigInt(values.size));
    case "average":
      return count === 0n ? new Fraction(0n) : Fraction.ofDecimal(sum).dividedBy(new Fraction(count));
  }
}

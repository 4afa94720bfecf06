import type { Dimensions } from "../metering/index.ts";
import { type Decimal, sumDecimals, zero } from "../money/index.ts";

/**
 * One priced part of a quantity: `exactMinor` is `quantity` × `unitPriceMinor` + `flatMinor`. `from` (not
 * included) and `to` (included; null without end) are the bounds of the tier, in billable units. For a
 * package price `quantity` counts packages and `unitPriceMinor` is the price of one.
 */
export type RatedTier = {
  readonly from: Decimal;
  readonly to: Decimal | null;
  readonly quantity: Decimal;
  readonly unitPriceMinor: Decimal;
  readonly flatMinor: Decimal;
  readonly exactMinor: Decimal;
  /** The dimension values that the price is for. */
  readonly cell?: Dimensions;
  /** Since when the cost had held that the price is made of, as ISO time. */
  readonly costSince?: string;
  /** There is no price for these dimension values: they cost nothing. */
  readonly isNotPriced?: true;
  /** When the bucket began that is priced, as ISO time. */
  readonly bucket?: string;
  /** Of a percentage: what the quantity counts, amounts at the rate or events with a fee, at the minimum, at the maximum. */
  readonly part?: "rate" | "fee" | "event_minimum" | "event_maximum";
};

/**
 * What a quantity costs, in exact minor units: still to be rounded, once, when it becomes a line item.
 * `quantity` = `includedQuantity` (free) + `billableQuantity`, unless it is below zero and costs nothing; the tiers sum
 * to `exactMinor`.
 */
export type RatedAmount = {
  readonly quantity: Decimal;
  readonly includedQuantity: Decimal;
  readonly billableQuantity: Decimal;
  readonly exactMinor: Decimal;
  readonly tiers: readonly RatedTier[];
};

export function ratedTier(tier: Omit<RatedTier, "exactMinor">): RatedTier {
  return { ...tier, exactMinor: tier.quantity.times(tier.unitPriceMinor).plus(tier.flatMinor) };
}

/** So many units at one price, without bounds or a fee. */
export function ratedUnits(
  quantity: Decimal,
  unitPriceMinor: Decimal,
  marks: Pick<RatedTier, "cell" | "costSince" | "isNotPriced" | "part"> = {},
): RatedTier {
  return ratedTier({ from: zero, to: null, quantity, unitPriceMinor, flatMinor: zero, ...marks });
}

export function sumOfTiers(tiers: readonly RatedTier[]): Decimal {
  return sumDecimals(tiers.map((tier) => tier.exactMinor));
}

import { type Decimal, sumDecimals } from "../money/index.ts";

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
};

/**
 * What a quantity costs, in exact minor units: still to be rounded, once, when it becomes a line item.
 * `quantity` = `includedQuantity` (free) + `billableQuantity`; the tiers sum to `exactMinor`.
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

export function sumOfTiers(tiers: readonly RatedTier[]): Decimal {
  return sumDecimals(tiers.map((tier) => tier.exactMinor));
}

import type { Tier } from "../catalog/index.ts";
import { type Decimal, decimal } from "../money/index.ts";

/** A tier from `from` (not included) to `to` (included; null without end). */
export type BoundedTier = {
  readonly from: Decimal;
  readonly to: Decimal | null;
  readonly unitPriceMinor: Decimal;
  readonly flatMinor: Decimal;
};

// A price is read once for all the subscriptions that it rates.
const known = new WeakMap<readonly Tier[], readonly BoundedTier[]>();

/** Tiers as the catalog writes them, each with its lower bound: the end of the one before. */
export function tierBounds(tiers: readonly Tier[]): readonly BoundedTier[] {
  const made = known.get(tiers) ?? boundsOf(tiers);
  known.set(tiers, made);
  return made;
}

function boundsOf(tiers: readonly Tier[]): BoundedTier[] {
  return tiers.map((tier, index) => ({
    from: decimal(tiers[index - 1]?.upTo ?? "0"),
    to: tier.upTo === null ? null : decimal(tier.upTo),
    unitPriceMinor: decimal(tier.unitPriceMinor),
    flatMinor: decimal(tier.flatMinor),
  }));
}

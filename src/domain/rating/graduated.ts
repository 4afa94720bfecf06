import type { Tier } from "../catalog/index.ts";
import { type Decimal, minDecimal } from "../money/index.ts";
import { type RatedTier, ratedTier } from "./rated-amount.ts";
import { tierBounds } from "./tier-bounds.ts";

/** Each unit costs what its own tier says, and each tier reached adds its flat fee. */
export function rateGraduated(tiers: readonly Tier[], billable: Decimal): RatedTier[] {
  return tierBounds(tiers)
    .filter((tier) => billable.isGreaterThan(tier.from))
    .map((tier) => {
      const reached = tier.to === null ? billable : minDecimal(billable, tier.to);
      return ratedTier({ ...tier, quantity: reached.minus(tier.from) });
    });
}

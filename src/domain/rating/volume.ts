import type { Tier } from "../catalog/index.ts";
import type { Decimal } from "../money/index.ts";
import { type RatedTier, ratedTier } from "./rated-amount.ts";
import { tierBounds } from "./tier-bounds.ts";

/** All units cost what the one tier that the total reaches says, and that tier adds its flat fee. */
export function rateVolume(tiers: readonly Tier[], billable: Decimal): RatedTier[] {
  return tierBounds(tiers)
    .filter((tier) => tier.to === null || !billable.isGreaterThan(tier.to))
    .slice(0, 1)
    .map((tier) => ratedTier({ ...tier, quantity: billable }));
}

import type { Tier } from "../catalog/index.ts";
import { type Decimal, minDecimal } from "../money/index.ts";
import { type RatedTier, ratedTier } from "./rated-amount.ts";
import { tierBounds } from "./tier-bounds.ts";

/** Each unit costs what its own tier says, and each tier reached adds its flat fee. */
export function rateGraduated(tiers: readonly Tier[], billable: Decimal): RatedTier[] {
  const rated: RatedTier[] = [];
  for (const { from, to, unitPriceMinor, flatMinor } of tierBounds(tiers)) {
    if (!billable.isGreaterThan(from)) break;
    const quantity = (to === null ? billable : minDecimal(billable, to)).minus(from);
    rated.push(ratedTier({ from, to, quantity, unitPriceMinor, flatMinor }));
  }
  return rated;
}

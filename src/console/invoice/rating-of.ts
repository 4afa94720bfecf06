import type { InvoiceLine } from "../reads/resources.ts";

/** One priced part of a quantity; `exactMinor` is quantity × unit price + flat fee. */
export interface RatedTier {
  /** Where the tier begins, in billable units. */
  readonly from: string;
  readonly quantity: string;
  readonly unitPriceMinor: string;
  readonly flatMinor: string;
  readonly exactMinor: string;
}

/** How a usage line came about: the whole quantity of the period so far, what was free of it, and the rest by tier. */
export interface Rating {
  readonly unit: string;
  readonly cumulativeQuantity: string;
  readonly includedQuantity: string;
  readonly tiers: readonly RatedTier[];
}

/** Reads the detail of a usage line; null for other lines, whose detail says something else. */
export function ratingOf(detail: InvoiceLine["detail"]): Rating | null {
  const { unit, cumulative_quantity, included_quantity, tiers } = detail;
  if (
    typeof cumulative_quantity !== "string" ||
    typeof included_quantity !== "string" ||
    !Array.isArray(tiers)
  )
    return null;
  return {
    unit: typeof unit === "string" ? unit : "",
    cumulativeQuantity: cumulative_quantity,
    includedQuantity: included_quantity,
    tiers: tiers.map(tierOf),
  };
}

function tierOf(tier: Record<string, unknown>): RatedTier {
  return {
    from: String(tier.from),
    quantity: String(tier.quantity),
    unitPriceMinor: String(tier.unit_price_minor),
    flatMinor: String(tier.flat_minor),
    exactMinor: String(tier.exact_minor),
  };
}

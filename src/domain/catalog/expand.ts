import type { Catalog, PlanDefinition } from "./plan.ts";
import { placedPrices, priceKeysOf } from "./rate-card.ts";
import type { WrittenCatalog, WrittenPlan } from "./schema.ts";

/** What a written catalog means: rate cards are usage prices, and whoever named a card names these. */
export function expandCatalog({ plans, ...rest }: WrittenCatalog): Catalog {
  return { ...rest, plans: plans.map(expandPlan) };
}

function expandPlan(written: WrittenPlan): PlanDefinition {
  const keys = priceKeysOf(written);
  const named = <Chosen extends { readonly prices: "all" | readonly string[] }>(chosen: Chosen): Chosen => ({
    ...chosen,
    prices: chosen.prices === "all" ? "all" : chosen.prices.flatMap((key) => keys.get(key) ?? [key]),
  });
  const { adjustments, phases, ...rest } = written;
  return {
    ...rest,
    prices: placedPrices(written, "").map(({ price }) => price),
    ...(adjustments === undefined ? {} : { adjustments: adjustments.map(named) }),
    ...(phases === undefined
      ? {}
      : { phases: phases.map((phase) => ({ ...phase, overrides: phase.overrides.map(named) })) }),
  };
}

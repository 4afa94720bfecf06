import type { Meter } from "../metering/index.ts";
import type { CatalogIssue } from "./catalog-issue.ts";
import type { CostTable } from "./cost-table.ts";
import { parsedBy } from "./parse.ts";
import type { PlanDefinition } from "./plan.ts";
import type { PriceOverride } from "./plan-terms.ts";
import { overrideIssues } from "./terms-checks.ts";
import { contractSchema } from "./terms-schema.ts";

/**
 * Parses what a contract says instead of a plan's prices: `{ "overrides": […] }`, in the shape of a phase's overrides.
 * @throws CatalogInvalidError
 */
export function parseContract(input: unknown): readonly PriceOverride[] {
  return parsedBy(contractSchema, input).overrides;
}

/** What of a contract does not fit a plan, where, and what to do about it; empty when it fits. */
export function contractIssues(
  { prices }: Pick<PlanDefinition, "prices">,
  overrides: readonly PriceOverride[],
  catalog: { readonly meters: readonly Meter[]; readonly costTables: readonly CostTable[] },
): CatalogIssue[] {
  const named = new Map(prices.map((price) => [price.key, [price]]));
  const referred = {
    meters: new Map(catalog.meters.map((meter) => [meter.key, meter])),
    costTables: new Map(catalog.costTables.map((table) => [table.key, table])),
  };
  return overrideIssues(overrides, named, referred, "overrides");
}

import { anchorRuleFaults } from "../calendar/index.ts";
import { type CatalogIssue, duplicateKeys } from "./catalog-issue.ts";
import { costTableIssues } from "./cost-table-checks.ts";
import { chosenPolicyIssues, dunningIssues, dunningPolicyIssues } from "./dunning-checks.ts";
import { entitlementIssues } from "./entitlement-checks.ts";
import { featureIssues, priceFeatureIssues } from "./feature-checks.ts";
import { meterIssues } from "./meter-checks.ts";
import type { Price } from "./plan.ts";
import { priceIssues, type Referred } from "./price-checks.ts";
import { placedPrices, priceKeysOf } from "./rate-card.ts";
import { requiresIssues } from "./requires-checks.ts";
import type { WrittenCatalog, WrittenPlan } from "./schema.ts";
import { adjustmentIssues, type PriceNames, phaseIssues, thresholdIssues } from "./terms-checks.ts";

/** The rules that one part of a catalog owes to another; an empty list when all are kept. */
export function catalogIssues({
  meters,
  plans,
  costTables = [],
  features = [],
  dunningPolicies = [],
}: WrittenCatalog): CatalogIssue[] {
  const referred = { meters: byKey(meters), costTables: byKey(costTables) };
  const featuresByKey = byKey(features);
  return [
    ...duplicateKeys(meters, "meters"),
    ...meters.flatMap((meter, index) => meterIssues(meter, `meters[${index}]`)),
    ...costTableIssues(costTables, "costTables"),
    ...featureIssues(features, referred.meters, "features"),
    ...dunningPolicyIssues(dunningPolicies, "dunningPolicies"),
    ...duplicateKeys(plans, "plans"),
    ...plans.flatMap((plan, index) => {
      const path = `plans[${index}]`;
      return [
        ...planIssues(plan, referred, path),
        ...chosenPolicyIssues(plan.dunning, dunningPolicies, `${path}.dunning`),
        ...priceFeatureIssues(plan.prices, featuresByKey, `${path}.prices`),
        ...entitlementIssues(
          plan.entitlements ?? [],
          { features: featuresByKey, meters: referred.meters },
          `${path}.entitlements`,
        ),
      ];
    }),
    ...requiresIssues(plans, "plans"),
  ];
}

// Of two things with one key the first counts, so that the second is the only thing complained of.
const byKey = <Keyed extends { readonly key: string }>(
  things: readonly Keyed[],
): ReadonlyMap<string, Keyed> => new Map(things.toReversed().map((thing) => [thing.key, thing]));

function planIssues(plan: WrittenPlan, referred: Referred, path: string): CatalogIssue[] {
  const placed = placedPrices(plan, path);
  const priceOf = new Map(placed.map(({ price }) => [price.key, price]));
  const names: PriceNames = new Map([
    ...[...priceKeysOf(plan)].map(([key, keys]): [string, Price[]] => [
      key,
      keys.flatMap((each) => priceOf.get(each) ?? []),
    ]),
    ...[...priceOf].map(([key, price]): [string, Price[]] => [key, [price]]),
  ]);
  const { adjustments = [], phases = [], thresholds } = plan;
  return [
    ...duplicateKeys(plan.prices, `${path}.prices`),
    ...classKeyIssues(plan, path),
    ...dunningIssues(plan.dunning, `${path}.dunning`),
    ...anchorIssues(plan, `${path}.anchor`),
    ...priceIssues(plan, placed, referred, path),
    ...adjustmentIssues(adjustments, names, `${path}.adjustments`),
    ...phaseIssues(phases, names, referred, `${path}.phases`),
    ...(thresholds === undefined ? [] : thresholdIssues(thresholds, `${path}.thresholds`)),
  ];
}

function anchorIssues({ anchor, interval }: WrittenPlan, path: string): CatalogIssue[] {
  if (anchor === undefined) return [];
  return anchorRuleFaults(anchor, interval).map(({ field, message }) => ({
    path: `${path}.${field}`,
    message,
  }));
}

/** The classes of a card differ, and what they become differs from all other prices. */
function classKeyIssues({ prices }: WrittenPlan, path: string): CatalogIssue[] {
  const taken = prices.map(({ key }) => key);
  return prices.flatMap((price, index) => {
    if (price.type !== "rate_card") return [];
    const place = `${path}.prices[${index}].classes`;
    const clashes = price.classes.flatMap(({ key }, each) =>
      taken.includes(`${price.key}.${key}`)
        ? [
            {
              path: `${place}[${each}].key`,
              message: `makes the price "${price.key}.${key}", which there is: choose another key`,
            },
          ]
        : [],
    );
    return [...duplicateKeys(price.classes, place), ...clashes];
  });
}

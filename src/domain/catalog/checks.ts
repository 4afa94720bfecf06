import type { Meter } from "../metering/index.ts";
import { decimal } from "../money/index.ts";
import { meterIssues } from "./meter-checks.ts";
import type { Catalog, PlanDefinition, TieredModel, UsagePrice } from "./plan.ts";

/** What is wrong with a catalog, where (`plans[1].prices[0].meter`), and what to do about it. */
export type CatalogIssue = { readonly path: string; readonly message: string };

/** The rules that one part of a catalog owes to another; an empty list when all are kept. */
export function catalogIssues(catalog: Catalog): CatalogIssue[] {
  // Of two meters with one key the first counts, so that the second is the only thing complained of.
  const meters = new Map(catalog.meters.toReversed().map((meter) => [meter.key, meter]));
  return [
    ...duplicateKeys(catalog.meters, "meters"),
    ...catalog.meters.flatMap((meter, index) => meterIssues(meter, `meters[${index}]`)),
    ...duplicateKeys(catalog.plans, "plans"),
    ...catalog.plans.flatMap((plan, index) => planIssues(plan, meters, `plans[${index}]`)),
  ];
}

function planIssues(plan: PlanDefinition, meters: ReadonlyMap<string, Meter>, path: string): CatalogIssue[] {
  return [
    ...duplicateKeys(plan.prices, `${path}.prices`),
    ...retryIssues(plan.dunning.retryAfterDays, `${path}.dunning.retryAfterDays`),
    ...plan.prices.flatMap((price, index) =>
      price.type === "usage" ? usagePriceIssues(price, meters, `${path}.prices[${index}]`) : [],
    ),
    ...overlaps(plan, path),
  ];
}

function retryIssues(days: readonly number[], path: string): CatalogIssue[] {
  return days.flatMap((day, index) =>
    day > (days[index - 1] ?? 0)
      ? []
      : [{ path: `${path}[${index}]`, message: "must be later than the retry before it" }],
  );
}

function usagePriceIssues(
  price: UsagePrice,
  meters: ReadonlyMap<string, Meter>,
  path: string,
): CatalogIssue[] {
  const meter = meters.get(price.meter);
  if (!meter) {
    return [
      { path: `${path}.meter`, message: `there is no meter "${price.meter}": declare it under meters` },
    ];
  }
  const undeclared = Object.keys(price.where).filter((name) => !meter.dimensions.includes(name));
  return [
    ...undeclared.map((name) => ({
      path: `${path}.where.${name}`,
      message: `meter "${meter.key}" has no dimension "${name}": declare it there or remove it here`,
    })),
    ...("tiers" in price.model ? tierIssues(price.model, `${path}.model.tiers`) : []),
  ];
}

function tierIssues({ tiers }: TieredModel, path: string): CatalogIssue[] {
  const issues: CatalogIssue[] = [];
  tiers.forEach(({ upTo }, index) => {
    const where = `${path}[${index}].upTo`;
    const isLast = index === tiers.length - 1;
    if (isLast && upTo !== null) {
      issues.push({ path: where, message: "must be null: the last tier has no end" });
    }
    if (isLast) return;
    const before = tiers[index - 1]?.upTo ?? null;
    if (upTo === null) {
      issues.push({ path: where, message: "write where the tier ends: only the last one is without end" });
    } else if (before !== null && !decimal(upTo).isGreaterThan(decimal(before))) {
      issues.push({ path: where, message: `must be more than ${before}, where the tier before it ends` });
    }
  });
  return issues;
}

/** Two prices of a plan that both match some usage would bill it twice. */
function overlaps(plan: PlanDefinition, path: string): CatalogIssue[] {
  return plan.prices.flatMap((price, index) => {
    if (price.type !== "usage") return [];
    const earlier = plan.prices
      .slice(0, index)
      .find((other) => other.type === "usage" && other.meter === price.meter && canBothMatch(other, price));
    if (!earlier) return [];
    const message = `would bill the same usage as price "${earlier.key}": give them different values of a dimension`;
    return [{ path: `${path}.prices[${index}].where`, message }];
  });
}

function canBothMatch(left: UsagePrice, right: UsagePrice): boolean {
  return Object.entries(left.where).every(([name, value]) => (right.where[name] ?? value) === value);
}

function duplicateKeys(items: readonly { readonly key: string }[], path: string): CatalogIssue[] {
  const seen = new Set<string>();
  return items.flatMap(({ key }, index) => {
    const isNew = !seen.has(key);
    seen.add(key);
    return isNew
      ? []
      : [{ path: `${path}[${index}].key`, message: `"${key}" is used twice: choose another key` }];
  });
}

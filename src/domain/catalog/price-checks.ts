import type { Meter } from "../metering/index.ts";
import type { Currency } from "../money/index.ts";
import type { CatalogIssue } from "./catalog-issue.ts";
import type { CostTable } from "./cost-table.ts";
import { followingIssues } from "./following-bands.ts";
import { costPlusIssues, modelIssues, valuesIssues } from "./model-checks.ts";
import type { UsagePrice } from "./plan.ts";
import { classKey, type PlacedPrice, type RateCard } from "./rate-card.ts";
import type { WrittenPlan } from "./schema.ts";

/** What a price may refer to. */
export interface Referred {
  readonly meters: ReadonlyMap<string, Meter>;
  readonly costTables: ReadonlyMap<string, CostTable>;
}

type WrittenPrice = WrittenPlan["prices"][number];
type WrittenSeatPrice = Extract<WrittenPrice, { type: "seat" }>;

/** What the prices of a plan owe to themselves, to what they refer to, and to each other. */
export function priceIssues(
  plan: WrittenPlan,
  placed: readonly PlacedPrice[],
  referred: Referred,
  path: string,
): CatalogIssue[] {
  return [
    ...plan.prices.flatMap((price, index) =>
      writtenIssues(price, plan.currency, referred, `${path}.prices[${index}]`),
    ),
    ...placed.flatMap(({ price, path: place }) =>
      price.type === "usage" ? meterAndWhereIssues(price, referred.meters, place) : [],
    ),
    ...overlaps(placed),
  ];
}

function writtenIssues(
  price: WrittenPrice,
  currency: Currency,
  referred: Referred,
  path: string,
): CatalogIssue[] {
  if (price.type === "seat") return seatIssues(price, path);
  if (price.type === "rate_card") return cardIssues(price, currency, referred, path);
  return price.type === "usage" ? usageIssues(price, currency, referred, path) : [];
}

function seatIssues(
  { unitAmountMinor, model, timing, counting }: WrittenSeatPrice,
  path: string,
): CatalogIssue[] {
  const issues: CatalogIssue[] = [];
  if (unitAmountMinor === undefined && model === undefined) {
    issues.push({
      path: `${path}.unitAmountMinor`,
      message: "is missing: write what a seat costs, or a model",
    });
  }
  if (unitAmountMinor !== undefined && unitAmountMinor !== "0" && model !== undefined) {
    issues.push({
      path: `${path}.unitAmountMinor`,
      message: "remove it or the model: seats are priced by one of them",
    });
  }
  if (counting !== undefined && timing === "in_advance") {
    issues.push({
      path: `${path}.counting`,
      message: "remove it, or bill the seats in_arrears: only then are they counted",
    });
  }
  if (model === undefined) return issues;
  return "tiers" in model
    ? [...issues, ...followingIssues(model.tiers, `${path}.model.tiers`, "tier")]
    : [...issues, ...followingIssues(model.steps, `${path}.model.steps`, "step")];
}

function usageIssues(
  price: UsagePrice,
  currency: Currency,
  { meters, costTables }: Referred,
  path: string,
): CatalogIssue[] {
  const { model, buckets, included } = price;
  const meter = meters.get(price.meter);
  if (meter === undefined) return [];
  const issues = modelIssues(model, meter, costTables, `${path}.model`);
  if (model.type === "cost_plus")
    issues.push(...currencyIssues(costTables.get(model.costTable), currency, path));
  if (model.type === "percentage" && included !== "0") {
    const message = "remove it: what is free of a percentage stands in its model";
    issues.push({ path: `${path}.included`, message });
  }
  if (buckets !== undefined && meter.aggregation !== "max") {
    const message = `remove it: only a maximum has buckets, and meter "${meter.key}" is a ${meter.aggregation}`;
    issues.push({ path: `${path}.buckets`, message });
  }
  return issues;
}

function currencyIssues(table: CostTable | undefined, currency: Currency, path: string): CatalogIssue[] {
  if (table === undefined || table.currency === currency) return [];
  const message = `cost table "${table.key}" is in ${table.currency}: a plan in ${currency} needs one in ${currency}`;
  return [{ path: `${path}.model.costTable`, message }];
}

function cardIssues(
  card: RateCard,
  currency: Currency,
  { costTables }: Referred,
  path: string,
): CatalogIssue[] {
  const { pricing, dimensions, classes } = card;
  const known = classes.map(({ key }) => key);
  const tooLong = classes.flatMap((tokens, index) =>
    classKey(card, tokens).length <= 64
      ? []
      : [
          {
            path: `${path}.classes[${index}].key`,
            message: `with "${card.key}." before it must have at most 64 characters`,
          },
        ],
  );
  if (pricing.type === "fixed") {
    return [
      ...tooLong,
      ...valuesIssues(pricing.rows, dimensions, `${path}.pricing.rows`),
      ...pricing.rows.flatMap(({ rates }, index) =>
        unknownClasses(rates, known, `${path}.pricing.rows[${index}].rates`),
      ),
      ...unknownClasses(pricing.defaults, known, `${path}.pricing.defaults`),
    ];
  }
  const table = costTables.get(pricing.costTable);
  return [
    ...tooLong,
    ...known.flatMap((tokenClass, index) =>
      costPlusIssues({ costTable: pricing.costTable, tokenClass, dimensions }, table, `${path}.pricing`).map(
        (issue) =>
          issue.path.endsWith(".tokenClass") ? { ...issue, path: `${path}.classes[${index}].key` } : issue,
      ),
    ),
    ...unknownClasses(pricing.markups, known, `${path}.pricing.markups`),
    ...currencyIssues(table, currency, path),
  ].filter(isFirstOfItsKind);
}

function unknownClasses(said: object, known: readonly string[], path: string): CatalogIssue[] {
  return Object.keys(said)
    .filter((tokenClass) => !known.includes(tokenClass))
    .map((tokenClass) => ({
      path: `${path}.${tokenClass}`,
      message: `is none of the classes ${known.join(", ")}: add it there or remove it here`,
    }));
}

const isFirstOfItsKind = (issue: CatalogIssue, index: number, all: readonly CatalogIssue[]): boolean =>
  all.findIndex(({ path, message }) => path === issue.path && message === issue.message) === index;

function meterAndWhereIssues(
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
  return undeclared.map((name) => ({
    path: `${path}.where.${name}`,
    message: `meter "${meter.key}" has no dimension "${name}": declare it there or remove it here`,
  }));
}

/** Two prices of a plan that both match some usage would bill it twice. */
function overlaps(placed: readonly PlacedPrice[]): CatalogIssue[] {
  return placed.flatMap(({ price, path }, index) => {
    if (price.type !== "usage") return [];
    const earlier = placed
      .slice(0, index)
      .map((other) => other.price)
      .find((other) => other.type === "usage" && other.meter === price.meter && canBothMatch(other, price));
    if (!earlier) return [];
    const message = `would bill the same usage as price "${earlier.key}": give them different values of a dimension`;
    return [{ path: `${path}.where`, message }];
  });
}

function canBothMatch(left: { readonly type: string }, right: UsagePrice): boolean {
  return (
    "where" in left &&
    Object.entries(left.where as UsagePrice["where"]).every(
      ([name, value]) => (right.where[name] ?? value) === value,
    )
  );
}

import { decimal } from "../money/index.ts";
import { type CatalogIssue, duplicateKeys, duplicateTexts } from "./catalog-issue.ts";
import { modelIssues } from "./model-checks.ts";
import type { Price } from "./plan.ts";
import type { BillingThresholds, PlanPhase, PriceAdjustment, PriceOverride } from "./plan-terms.ts";
import type { Referred } from "./price-checks.ts";

/** What may be named as a price: its key, or that of a rate card, which stands for several. */
export type PriceNames = ReadonlyMap<string, readonly Price[]>;

/** Adjustments name prices that there are, and none of their keys. */
export function adjustmentIssues(
  adjustments: readonly PriceAdjustment[],
  prices: PriceNames,
  path: string,
): CatalogIssue[] {
  return [
    ...duplicateKeys(adjustments, path, [...prices.keys()]),
    ...adjustments.flatMap((adjustment, index) =>
      chosenIssues(adjustment.prices, prices, `${path}[${index}].prices`),
    ),
  ];
}

/** Phases follow one another; only the last, and it for certain, does not end. */
export function phaseIssues(
  phases: readonly PlanPhase[],
  prices: PriceNames,
  referred: Referred,
  path: string,
): CatalogIssue[] {
  return [
    ...duplicateKeys(phases, path),
    ...phases.flatMap(({ periods, overrides }, index) => {
      const isLast = index === phases.length - 1;
      const place = `${path}[${index}]`;
      const ends: CatalogIssue[] = [];
      if (isLast && periods !== null) {
        ends.push({ path: `${place}.periods`, message: "must be null: the last phase does not end" });
      }
      if (!isLast && periods === null) {
        ends.push({
          path: `${place}.periods`,
          message: "write how many periods it lasts: only the last one has no end",
        });
      }
      return [...ends, ...overrideIssues(overrides, prices, referred, `${place}.overrides`)];
    }),
  ];
}

/** Overrides name prices that there are, and say of them only what their type has. */
export function overrideIssues(
  overrides: readonly PriceOverride[],
  prices: PriceNames,
  referred: Referred,
  path: string,
): CatalogIssue[] {
  return overrides.flatMap(({ prices: chosen, effect }, index) => {
    const place = `${path}[${index}]`;
    const unknown = chosenIssues(chosen, prices, `${place}.prices`);
    if (effect.type === "multiplier" || unknown.length > 0) return unknown;
    const { price: overwrite } = effect;
    const named =
      chosen === "all"
        ? [...prices.values()].flat().filter((price) => hasAnyOf(overwrite, price))
        : chosen.flatMap((key) => prices.get(key) ?? []);
    return overwriteIssues(overwrite, named, referred, `${place}.effect.price`);
  });
}

type Overwrite = Extract<PriceOverride["effect"], { type: "overwrite" }>["price"];

const fieldsByType: Readonly<Record<Price["type"], readonly (keyof Overwrite)[]>> = {
  flat: ["amountMinor"],
  seat: ["unitAmountMinor", "includedSeats"],
  usage: ["model", "included"],
};

function overwriteIssues(
  overwrite: Overwrite,
  named: readonly Price[],
  { meters, costTables }: Referred,
  path: string,
): CatalogIssue[] {
  const said = fieldsOf(overwrite);
  if (said.length === 0) return [{ path, message: "write what the price says instead" }];
  if (named.length === 0) return [{ path, message: "no price of the plan has a field that it says" }];
  const misfits = said.flatMap((field) => {
    const other = named.find(({ type }) => !fieldsByType[type].includes(field));
    if (other === undefined) return [];
    const message = `price "${other.key}" is of type ${other.type}, which has no such field: remove it or name other prices`;
    return [{ path: `${path}.${field}`, message }];
  });
  const { model } = overwrite;
  if (misfits.length > 0 || model === undefined) return misfits;
  return named.flatMap((price): CatalogIssue[] => {
    const meter = price.type === "usage" ? meters.get(price.meter) : undefined;
    return meter === undefined ? [] : modelIssues(model, meter, costTables, `${path}.model`);
  });
}

const fieldsOf = (overwrite: Overwrite) => Object.keys(overwrite) as (keyof Overwrite)[];

/** Of all prices an overwrite is for those that have what it says. */
const hasAnyOf = (overwrite: Overwrite, { type }: Price): boolean =>
  fieldsOf(overwrite).some((field) => fieldsByType[type].includes(field));

function chosenIssues(chosen: "all" | readonly string[], prices: PriceNames, path: string): CatalogIssue[] {
  if (chosen === "all") return [];
  return [
    ...chosen.flatMap((key, index) =>
      prices.has(key)
        ? []
        : [{ path: `${path}[${index}]`, message: `the plan has no price "${key}": name one of its prices` }],
    ),
    ...duplicateTexts(chosen, path),
  ];
}

/** Amounts that are reached one after the other. */
export function thresholdIssues({ amountsMinor }: BillingThresholds, path: string): CatalogIssue[] {
  return amountsMinor.flatMap((amount, index) => {
    const before = amountsMinor[index - 1];
    return before === undefined || decimal(amount).isGreaterThan(decimal(before))
      ? []
      : [
          {
            path: `${path}.amountsMinor[${index}]`,
            message: `must be more than ${before}, the threshold before it`,
          },
        ];
  });
}

import type { CatalogIssue, Price, PriceOverride, PriceOverwrite } from "../catalog/index.ts";
import { isFor } from "./resolve-prices.ts";

const fieldsOf: Readonly<Record<Price["type"], readonly (keyof PriceOverwrite)[]>> = {
  flat: ["amountMinor"],
  seat: ["unitAmountMinor", "includedSeats"],
  usage: ["model", "included"],
};

/** What is wrong with overrides of a plan's prices, where, and what to do about it; empty when nothing is. */
export function overrideIssues(
  prices: readonly Price[],
  overrides: readonly PriceOverride[],
  path: string,
): CatalogIssue[] {
  return overrides.flatMap((override, index) => {
    const where = `${path}[${index}]`;
    if (override.prices === "all") {
      if (prices.some((price) => isFor(override, price))) return [];
      return [{ path: `${where}.prices`, message: "no price of the plan has a field that it says" }];
    }
    return override.prices.flatMap((key, place) => {
      const message = misfit(override, key, prices);
      return message === null ? [] : [{ path: `${where}.prices[${place}]`, message }];
    });
  });
}

function misfit({ effect }: PriceOverride, key: string, prices: readonly Price[]): string | null {
  const price = prices.find((each) => each.key === key);
  if (price === undefined) return `the plan has no price "${key}": it has ${names(prices)}`;
  if (effect.type === "multiplier") return null;
  const fields = fieldsOf[price.type];
  const foreign = Object.keys(effect.price).filter((field) => !fields.some((own) => own === field));
  if (foreign.length === 0 && Object.keys(effect.price).length > 0) return null;
  return `price "${key}" is overwritten by ${fields.join(" and ")}, and by nothing else`;
}

const names = (prices: readonly Price[]): string => prices.map(({ key }) => `"${key}"`).join(", ");

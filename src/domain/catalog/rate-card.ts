import type { Price, UsagePrice } from "./plan.ts";
import type { WrittenPlan } from "./schema.ts";
import type { CostPlusModel, MatrixModel } from "./usage-model.ts";

/**
 * The price of tokens by model and class, written as one table. Classes are exclusive because each has a meter of its
 * own. It is a way to write prices: a plan that was parsed has a usage price for each class instead, `card.class`.
 */
export type RateCard = Extract<WrittenPlan["prices"][number], { type: "rate_card" }>;

type TokenClass = RateCard["classes"][number];

/** A price, and where in the author's plan it comes from. */
export type PlacedPrice = { readonly price: Price; readonly path: string };

/** The prices of a plan with every rate card as one usage price for each of its classes. */
export function placedPrices(plan: WrittenPlan, path: string): PlacedPrice[] {
  return plan.prices.flatMap((price, index): PlacedPrice[] => {
    const place = `${path}.prices[${index}]`;
    if (price.type === "rate_card") {
      return price.classes.map((tokens, each) => ({
        price: classPrice(price, tokens),
        path: `${place}.classes[${each}]`,
      }));
    }
    // A seat price with a model has no amount for each seat; checks refuse one that has neither.
    return [
      {
        price: price.type === "seat" ? { ...price, unitAmountMinor: price.unitAmountMinor ?? "0" } : price,
        path: place,
      },
    ];
  });
}

/** What may be named where prices are chosen: their keys, and those of rate cards, which stand for all their classes. */
export function priceKeysOf(plan: WrittenPlan): ReadonlyMap<string, readonly string[]> {
  return new Map(
    plan.prices.map((price): [string, string[]] => [
      price.key,
      price.type === "rate_card" ? price.classes.map((tokens) => classKey(price, tokens)) : [price.key],
    ]),
  );
}

function classPrice(card: RateCard, tokens: TokenClass): UsagePrice {
  return {
    type: "usage",
    key: classKey(card, tokens),
    name: `${card.name}: ${tokens.name}`,
    product: card.product,
    ...(card.feature === undefined ? {} : { feature: card.feature }),
    meter: tokens.meter,
    where: tokens.where,
    unitLabel: tokens.unitLabel,
    model: classModel(card, tokens.key),
    included: tokens.included,
  };
}

export const classKey = (card: { readonly key: string }, tokens: { readonly key: string }): string =>
  `${card.key}.${tokens.key}`;

function classModel({ pricing, dimensions }: RateCard, tokenClass: string): MatrixModel | CostPlusModel {
  if (pricing.type === "cost_plus") {
    const { costTable, markups } = pricing;
    const markupPercent = markups[tokenClass] ?? pricing.markupPercent;
    return { type: "cost_plus", costTable, tokenClass, dimensions, markupPercent };
  }
  return {
    type: "matrix",
    dimensions,
    cells: pricing.rows.flatMap(({ values, rates }) => {
      const unitPriceMinor = rates[tokenClass];
      return unitPriceMinor === undefined ? [] : [{ values, unitPriceMinor }];
    }),
    defaultUnitPriceMinor: pricing.defaults[tokenClass] ?? null,
  };
}

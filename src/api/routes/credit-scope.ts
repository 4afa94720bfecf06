import { z } from "zod";
import { latestPlans } from "../../db/billing/catalog.ts";
import type { Tx } from "../../db/database.ts";
import type { GrantScope } from "../../domain/credits/index.ts";
import { RequestRefusedError } from "../refusals.ts";

const name = z.string().min(1).max(64);
const priceRef = z.strictObject({ plan: name, price: name });

/** What credit may pay, as requests say it. */
export const scopeInput = z
  .strictObject({
    products: z.array(name).min(1).max(50).optional().describe("Usage that is booked under one of these."),
    prices: z
      .array(priceRef)
      .min(1)
      .max(50)
      .optional()
      .describe("Usage that one of these rates, by whatever version of its plan."),
    features: z
      .array(name)
      .min(1)
      .max(50)
      .optional()
      .describe("Usage of prices that belong to one of these, as their plans say."),
  })
  .refine((scope) => Object.values(scope).some((named) => named !== undefined), {
    error: "must name products, prices or features; leave it out for everything",
  })
  .describe("What it may pay: usage of any of these. All usage, when left out.");

/** The same in answers; null for all usage. */
export const scopeSchema = z
  .object({
    products: z.array(z.string()),
    prices: z.array(z.object({ plan: z.string(), price: z.string() })),
    features: z.array(z.string()),
  })
  .nullable()
  .describe("What it may pay; null for all usage.");

export function scopeAnswer(scope: GrantScope | null): z.infer<typeof scopeSchema> {
  if (scope === null) return null;
  return {
    products: scope.flatMap((item) => (item.type === "product" ? [item.product] : [])),
    prices: scope.flatMap((item) =>
      item.type === "price" ? [{ plan: item.planKey, price: item.priceKey }] : [],
    ),
    features: scope.flatMap((item) => (item.type === "feature" ? [item.feature] : [])),
  };
}

/**
 * What was written, as the domain has it.
 * @throws RequestRefusedError for a product, a price or a feature of usage that no plan has: credit for it could never be spent
 */
export async function scopeOf(
  tx: Tx,
  written: z.output<typeof scopeInput> | undefined,
): Promise<GrantScope | undefined> {
  if (written === undefined) return undefined;
  const prices = (await latestPlans(tx)).flatMap(({ key, prices: of }) =>
    of.flatMap((price) => (price.type === "usage" ? [{ ...price, planKey: key, priceKey: price.key }] : [])),
  );
  const refuse = (what: string): never => {
    throw new RequestRefusedError("credit_scope_unknown", `no plan has ${what} for usage`, "scope");
  };
  const { products = [], prices: named = [], features = [] } = written;
  for (const product of products) {
    if (!prices.some((price) => price.product === product)) refuse(`the product "${product}"`);
  }
  for (const { plan, price } of named) {
    const isKnown = prices.some(({ planKey, priceKey }) => planKey === plan && priceKey === price);
    if (!isKnown) refuse(`the price "${price}" of plan "${plan}"`);
  }
  for (const feature of features) {
    if (!prices.some((price) => price.feature === feature)) refuse(`a price of the feature "${feature}"`);
  }
  return [
    ...[...new Set(products)].map((product) => ({ type: "product", product }) as const),
    ...named.map(({ plan, price }) => ({ type: "price", planKey: plan, priceKey: price }) as const),
    ...[...new Set(features)].map((feature) => ({ type: "feature", feature }) as const),
  ];
}

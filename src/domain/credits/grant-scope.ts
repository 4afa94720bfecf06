/**
 * What a grant may pay: usage that is booked under one of the products, rated by one of the prices, whatever the
 * version of its plan, or rated by a price that belongs to one of the features. Never empty: a grant for everything has no scope.
 */
export type GrantScope = readonly ScopeItem[];

export type ScopeItem =
  | { readonly type: "product"; readonly product: string }
  | { readonly type: "price"; readonly planKey: string; readonly priceKey: string }
  | { readonly type: "feature"; readonly feature: string };

/** What is used, as far as a scope asks. */
export interface UsedItem {
  readonly product: string;
  /** Null where no price was rated. */
  readonly price: { readonly planKey: string; readonly priceKey: string } | null;
  /** That the price belongs to, by the version of the plan that rated it; left out where it belongs to none. */
  readonly feature?: string;
}

/** Whether a scope allows paying for something; without a scope everything is allowed. */
export function isInScope(scope: GrantScope | undefined, { product, price, feature }: UsedItem): boolean {
  if (scope === undefined) return true;
  return scope.some((item) => {
    if (item.type === "product") return item.product === product;
    if (item.type === "feature") return item.feature === feature;
    return item.planKey === price?.planKey && item.priceKey === price.priceKey;
  });
}

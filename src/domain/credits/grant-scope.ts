/**
 * What a grant may pay: usage that is booked under one of the products, or rated by one of the prices, whatever the
 * version of its plan. Never empty: a grant for everything has no scope.
 */
export type GrantScope = readonly ScopeItem[];

export type ScopeItem =
  | { readonly type: "product"; readonly product: string }
  | { readonly type: "price"; readonly planKey: string; readonly priceKey: string };

/** What is used, as far as a scope asks. */
export interface UsedItem {
  readonly product: string;
  /** Null where no price was rated. */
  readonly price: { readonly planKey: string; readonly priceKey: string } | null;
}

/** Whether a scope allows paying for something; without a scope everything is allowed. */
export function isInScope(scope: GrantScope | undefined, { product, price }: UsedItem): boolean {
  if (scope === undefined) return true;
  return scope.some((item) =>
    item.type === "product"
      ? item.product === product
      : item.planKey === price?.planKey && item.priceKey === price.priceKey,
  );
}

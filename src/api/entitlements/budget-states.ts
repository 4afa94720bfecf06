import type { EntitlementFacts } from "../../db/entitlements/entitlement-facts.ts";
import type { SpendingReader } from "../../db/entitlements/spending.ts";
import type { Feature } from "../../domain/catalog/index.ts";
import {
  type AddedCharge,
  type BudgetState,
  isCapped,
  limitState,
  type MergedLimit,
  spentOn,
  windowAt,
} from "../../domain/entitlements/index.ts";
import { type Decimal, sumDecimals, zero } from "../../domain/money/index.ts";
import type { GivenFeature } from "./checked-feature.ts";

/** What is to be used; its charges are null where they cannot be told ahead. */
interface MoreSpending {
  readonly feature: Feature;
  readonly added: readonly AddedCharge[] | null;
}

/**
 * Each limit of the budgets with what is spent of it, and whether what is asked fits. What costs a budget nothing fits, also when
 * it is spent; what cannot be told ahead fits as long as something is left.
 */
export async function budgetStates(
  facts: EntitlementFacts,
  spending: SpendingReader,
  more: MoreSpending | null,
  budgets: readonly GivenFeature[],
): Promise<BudgetState[]> {
  const states: BudgetState[] = [];
  for (const { feature, merged } of budgets) {
    for (const limit of merged?.limits ?? []) {
      states.push({ feature: feature.key, state: await stateOf(facts, spending, more, feature, limit) });
    }
  }
  return states;
}

async function stateOf(
  { now, timeZone }: EntitlementFacts,
  spending: SpendingReader,
  more: MoreSpending | null,
  { caps }: Feature,
  limit: MergedLimit,
): Promise<BudgetState["state"]> {
  const frame = { now, timeZone, since: limit.since, cycle: limit.cycle?.period ?? null, openedAt: null };
  const window = windowAt(limit.window, frame);
  const start = window.period?.start ?? now;
  const spent = spentOn(caps, await spending.since(start));
  const added = addedTo(caps, more);
  const state = limitState(limit, window, spent, { asked: added ?? zero, aggregation: "sum" });
  const isSpent = !spent.isLessThan(limit.amount);
  return { ...state, fits: added === null ? !isSpent : added.isZero() || state.fits };
}

/** What is added to the charges that a budget caps; null where it is not known. */
function addedTo(caps: readonly string[] | undefined, more: MoreSpending | null): Decimal | null {
  if (more === null) return zero;
  const { feature, added } = more;
  if (added === null) return caps === undefined || caps.includes(feature.key) ? null : zero;
  return sumDecimals(added.filter(({ price }) => isCapped(caps, price)).map(({ exactMinor }) => exactMinor));
}

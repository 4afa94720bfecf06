import { type CreditPolicy, usualCreditPolicy } from "../../domain/credits/index.ts";
import { creditPolicyOf } from "../../domain/invoicing/index.ts";
import type { Tx } from "../database.ts";
import { subscriptionsOfCustomer, termsHistory } from "./subscriptions.ts";

/** By which rules a customer's credit is spent next, and by which subscription's plan; null: nobody's, the usual ones. */
export interface SpendingPolicy {
  readonly policy: CreditPolicy;
  readonly subscriptionId: string | null;
}

/** The rules of the subscription that is billed next: it is the first to spend what there is. */
export async function spendingPolicyOf(tx: Tx, customerId: string): Promise<SpendingPolicy> {
  const [next] = (await subscriptionsOfCustomer(tx, customerId))
    .flatMap((row) => (row.nextCloseAt === null ? [] : [{ ...row, nextCloseAt: row.nextCloseAt }]))
    .toSorted((one, other) => one.nextCloseAt - other.nextCloseAt || (one.id < other.id ? -1 : 1));
  if (next === undefined) return { policy: usualCreditPolicy, subscriptionId: null };
  const start = next.billedThrough;
  const terms = await termsHistory(tx, next.id);
  return { policy: creditPolicyOf(terms, { start, end: start }), subscriptionId: next.id };
}

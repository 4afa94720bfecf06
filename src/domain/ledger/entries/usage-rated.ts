import type { LedgerAmount } from "../../money/index.ts";
import { subscriptionRevenue, unbilledReceivable, usageRevenue } from "../accounts.ts";
import {
  type EntryFacts,
  type JournalEntryDraft,
  journalEntryIfAny,
  posting,
  signedPosting,
} from "../journal-entry.ts";

export interface UsageRated extends EntryFacts {
  /** The billing cycle that was rated: a cycle is rated once. */
  readonly cycleId: string;
  /** Per product what credits did not cover, exact: ledger amounts are not rounded to whole minor units. */
  readonly usage: readonly { readonly productKey: string; readonly amount: LedgerAmount }[];
  /** Fixed fees billed in arrears, earned over the same period. */
  readonly fees?: readonly { readonly productKey: string; readonly amount: LedgerAmount }[];
}

/**
 * Usage is earned when it is used, whenever it is invoiced: unbilled receivable → usage revenue, and → subscription
 * revenue for fees in arrears. Null when everything came to zero.
 */
export function usageRated({ cycleId, usage, fees = [], ...facts }: UsageRated): JournalEntryDraft | null {
  const unbilled = unbilledReceivable(facts.customerId, facts.currency);
  return journalEntryIfAny(facts, {
    kind: "usage_rated",
    cause: { type: "billing_cycle", id: cycleId },
    postings: [
      ...usage.map((item) =>
        signedPosting(unbilled, usageRevenue(item.productKey, facts.currency), item.amount),
      ),
      ...fees.map((fee) =>
        posting(unbilled, subscriptionRevenue(fee.productKey, facts.currency), fee.amount),
      ),
    ],
  });
}

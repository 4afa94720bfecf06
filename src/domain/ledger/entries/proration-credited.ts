import type { Money } from "../../money/index.ts";
import { customerBalance, deferredRevenue } from "../accounts.ts";
import { type EntryFacts, type JournalEntryDraft, journalEntry, posting } from "../journal-entry.ts";
import { sharesOfTax, type TaxAmount } from "./invoiced-parts.ts";

export interface ProrationCredited extends EntryFacts {
  readonly changeId: string;
  readonly subscriptionId: string;
  /** The unused part of what was invoiced in advance, without tax. */
  readonly amount: Money;
  /** The tax that was charged on it. */
  readonly tax?: readonly TaxAmount[];
}

/** Unused time handed back without an invoice, as at a cancellation: 2100 → 2200, and its tax 2300 → 2200. */
export function prorationCredited(credited: ProrationCredited): JournalEntryDraft {
  const { changeId, subscriptionId, amount, tax = [], ...facts } = credited;
  const { customerId, currency } = facts;
  const balance = customerBalance(customerId, currency);
  return journalEntry(facts, {
    kind: "proration_credited",
    cause: { type: "subscription_change", id: changeId },
    postings: [
      posting(deferredRevenue(customerId, subscriptionId, currency), balance, amount),
      ...sharesOfTax(tax, currency).map((share) => posting(share.account, balance, share.amount)),
    ],
  });
}

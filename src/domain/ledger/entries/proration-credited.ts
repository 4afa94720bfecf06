import { ledgerAmountOfMoney, type Money } from "../../money/index.ts";
import { customerBalance, deferredRevenue } from "../accounts.ts";
import { type EntryFacts, type JournalEntryDraft, journalEntry, posting } from "../journal-entry.ts";

export interface ProrationCredited extends EntryFacts {
  readonly changeId: string;
  readonly subscriptionId: string;
  /** The unused part of what was invoiced in advance. */
  readonly amount: Money;
}

/** Unused time handed back without an invoice, as at a cancellation: deferred revenue → customer balance. */
export function prorationCredited(credited: ProrationCredited): JournalEntryDraft {
  const { changeId, subscriptionId, amount, ...facts } = credited;
  return journalEntry(facts, {
    kind: "proration_credited",
    cause: { type: "subscription_change", id: changeId },
    postings: [
      posting(
        deferredRevenue(facts.customerId, subscriptionId, facts.currency),
        customerBalance(facts.customerId, facts.currency),
        ledgerAmountOfMoney(amount),
      ),
    ],
  });
}

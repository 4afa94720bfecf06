import type { EntryFacts, JournalEntry, JournalEntryDraft } from "../journal-entry.ts";
import { reversalOf } from "./reversal.ts";

/**
 * A voided invoice undoes the entry that issued it: the usage is unbilled again, deferred revenue and unpaid credits
 * go back. Only an invoice on which nothing was settled can be voided. The ledger refuses it (`insufficient`) when some
 * of its deferred revenue has been earned or handed back: such an invoice is written off or credited instead.
 */
export function invoiceVoided(
  facts: Omit<EntryFacts, "customerId" | "currency">,
  { invoiceId, issued }: { readonly invoiceId: string; readonly issued: JournalEntry },
): JournalEntryDraft {
  return {
    ...reversalOf(facts, issued),
    kind: "invoice_voided",
    cause: { type: "invoice", id: invoiceId },
    metadata: { invoice_id: invoiceId },
  };
}

import type { EntryTimes, JournalEntry, JournalEntryDraft } from "../journal-entry.ts";
import { reversalOf } from "./reversal.ts";

/**
 * A voided invoice undoes the entry that issued it: the usage is unbilled again, deferred revenue, unpaid credits
 * and tax go back. Only an invoice on which nothing was settled can be voided. The ledger refuses it (`insufficient`) when some
 * of its deferred revenue has been earned or handed back: such an invoice is written off or credited instead.
 */
export function invoiceVoided(
  times: EntryTimes,
  { invoiceId, issued }: { readonly invoiceId: string; readonly issued: JournalEntry },
): JournalEntryDraft {
  return {
    ...reversalOf(times, issued),
    kind: "invoice_voided",
    cause: { type: "invoice", id: invoiceId },
    metadata: { invoice_id: invoiceId },
  };
}

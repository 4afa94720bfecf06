import type { LedgerAmount, Money } from "../../money/index.ts";
import type { AccountRef } from "../account-ref.ts";
import { customerBalance, goodwill, promotionalCredits } from "../accounts.ts";
import { type EntryFacts, type JournalEntryDraft, journalEntry, posting } from "../journal-entry.ts";

/** Where goodwill is given, or was: the balance that pays coming invoices, or a grant that pays coming usage. */
export type GoodwillPlace =
  | { readonly kind: "customer_balance" }
  | { readonly kind: "grant"; readonly grantId: string };

export interface GoodwillGranted extends EntryFacts {
  /** The adjustment that was asked for and, where its size needs it, approved. */
  readonly adjustmentId: string;
  readonly amount: Money;
  readonly to: GoodwillPlace;
}

/** Something is made good. The expense is booked when it is promised: 5200 → 2200, or 5200 → 2010 of a goodwill grant. */
export function goodwillGranted({ adjustmentId, amount, to, ...facts }: GoodwillGranted): JournalEntryDraft {
  return journalEntry(facts, {
    kind: "goodwill_granted",
    cause: { type: "adjustment", id: adjustmentId },
    postings: [posting(goodwill(facts.currency), accountAt(to, facts), amount)],
    metadata: metadataOf(adjustmentId, to),
  });
}

export interface GoodwillWithdrawn extends EntryFacts {
  readonly adjustmentId: string;
  readonly amount: LedgerAmount;
  readonly from: GoodwillPlace;
}

/**
 * Goodwill is taken back: 2200 → 5200, or 2010 → 5200. Only as much as is still there: the ledger refuses more
 * (`insufficient`).
 */
export function goodwillWithdrawn(withdrawn: GoodwillWithdrawn): JournalEntryDraft {
  const { adjustmentId, amount, from, ...facts } = withdrawn;
  return journalEntry(facts, {
    kind: "goodwill_withdrawn",
    cause: { type: "adjustment", id: adjustmentId },
    postings: [posting(accountAt(from, facts), goodwill(facts.currency), amount)],
    metadata: metadataOf(adjustmentId, from),
  });
}

function accountAt(place: GoodwillPlace, { customerId, currency }: EntryFacts): AccountRef {
  if (place.kind === "customer_balance") return customerBalance(customerId, currency);
  return promotionalCredits(customerId, place.grantId, currency);
}

function metadataOf(adjustmentId: string, place: GoodwillPlace): Record<string, string> {
  return { adjustment_id: adjustmentId, ...(place.kind === "grant" ? { grant_id: place.grantId } : {}) };
}

import type { CreditGrantKind } from "../../credits/index.ts";
import type { LedgerAmount } from "../../money/index.ts";
import { creditsOfGrant, customerBalance, fundingOfGift } from "../accounts.ts";
import {
  type EntryFacts,
  type JournalEntryDraft,
  JournalEntryInvalidError,
  journalEntry,
  signedPosting,
} from "../journal-entry.ts";

export interface GrantAdjusted extends EntryFacts {
  readonly adjustmentId: string;
  readonly grantId: string;
  readonly kind: CreditGrantKind;
  /** Negative: the grant gets smaller, at most by what it still holds (the ledger refuses more). */
  readonly change: LedgerAmount;
}

/**
 * A grant gets larger or smaller by decision. Promotional: 1300 ↔ 2010; goodwill: 5200 ↔ 2010. A paid grant only gets
 * smaller, and what was paid stays the customer's: 2000 → 2200.
 * @throws JournalEntryInvalidError for a paid grant that would get larger, and for no change
 */
export function grantAdjusted({
  adjustmentId,
  grantId,
  kind,
  change,
  ...facts
}: GrantAdjusted): JournalEntryDraft {
  const { customerId, currency } = facts;
  if (kind === "paid" && change > 0n) {
    throw new JournalEntryInvalidError(
      `paid grant ${grantId} cannot be raised: sell more credits, or give goodwill`,
    );
  }
  const other = kind === "paid" ? customerBalance(customerId, currency) : fundingOfGift(kind, currency);
  return journalEntry(facts, {
    kind: "grant_adjusted",
    cause: { type: "adjustment", id: adjustmentId },
    postings: [signedPosting(other, creditsOfGrant(kind, customerId, grantId, currency), change)],
    metadata: { adjustment_id: adjustmentId, grant_id: grantId },
  });
}

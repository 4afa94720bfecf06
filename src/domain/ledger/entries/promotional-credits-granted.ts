import { promotionalCredits, promotionalOffset } from "../accounts.ts";
import {
  type EntryAmount,
  type EntryFacts,
  type JournalEntryDraft,
  journalEntry,
  posting,
} from "../journal-entry.ts";

export interface PromotionalCreditsGranted extends EntryFacts {
  readonly grantId: string;
  /** Whole minor units, but for what is left over of another grant. */
  readonly amount: EntryAmount;
}

/** Credits given for nothing: 1300 → 2010. A promise and its offset; revenue is not touched. */
export function promotionalCreditsGranted(granted: PromotionalCreditsGranted): JournalEntryDraft {
  const { grantId, amount, ...facts } = granted;
  const { customerId, currency } = facts;
  return journalEntry(facts, {
    kind: "promotional_credits_granted",
    cause: { type: "credit_grant", id: grantId },
    postings: [
      posting(promotionalOffset(currency), promotionalCredits(customerId, grantId, currency), amount),
    ],
    metadata: { grant_id: grantId },
  });
}

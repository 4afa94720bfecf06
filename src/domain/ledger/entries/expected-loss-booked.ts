import type { LedgerAmount } from "../../money/index.ts";
import { badDebt, doubtfulAllowance } from "../accounts.ts";
import {
  type JournalEntryDraft,
  journalEntry,
  type MerchantEntryFacts,
  signedPosting,
} from "../journal-entry.ts";

export interface ExpectedLossBooked extends MerchantEntryFacts {
  /** The review of the receivables that came to it, such as `2026-03`. */
  readonly reviewId: string;
  /** What is expected to be lost now less what the allowance holds: negative when less is expected than before. */
  readonly change: LedgerAmount;
}

/** Some of the receivables will not be paid: 5100 → 1190. When fewer are doubtful than thought: 1190 → 5100. */
export function expectedLossBooked({ reviewId, change, ...facts }: ExpectedLossBooked): JournalEntryDraft {
  const { currency } = facts;
  return journalEntry(facts, {
    kind: "expected_loss_booked",
    cause: { type: "receivables_review", id: `${reviewId}/${currency}` },
    postings: [signedPosting(badDebt(currency), doubtfulAllowance(currency), change)],
  });
}

import type { CreditGrantKind } from "../../credits/index.ts";
import type { LedgerAmount } from "../../money/index.ts";
import { breakageRevenue, creditsOfGrant, customerBalance, fundingOfGift } from "../accounts.ts";
import { type EntryFacts, type JournalEntryDraft, journalEntryIfAny, posting } from "../journal-entry.ts";

export interface GrantEnded extends EntryFacts {
  readonly grantId: string;
  readonly kind: CreditGrantKind;
  /** What the grant still holds, all of it. */
  readonly remaining: LedgerAmount;
}

/**
 * Credits not used in time. Paid ones become breakage revenue, 2000 → 4020; a gift is taken back, 2010 → 1300, and so is
 * goodwill, 2010 → 5200. Null when none are left.
 */
export function grantExpired(expired: GrantEnded): JournalEntryDraft | null {
  return grantEnded(expired, "grant_expired", breakageRevenue(expired.currency));
}

/**
 * A grant is withdrawn. What the customer paid stays theirs: 2000 → 2200; a gift is taken back, 2010 → 1300, and so is
 * goodwill, 2010 → 5200. Null when none are left.
 */
export function grantVoided(voided: GrantEnded): JournalEntryDraft | null {
  return grantEnded(voided, "grant_voided", customerBalance(voided.customerId, voided.currency));
}

function grantEnded(
  { grantId, kind, remaining, ...facts }: GrantEnded,
  entryKind: string,
  paidGoesTo: ReturnType<typeof breakageRevenue>,
): JournalEntryDraft | null {
  const { customerId, currency } = facts;
  return journalEntryIfAny(facts, {
    kind: entryKind,
    cause: { type: "credit_grant", id: grantId },
    postings: [
      posting(
        creditsOfGrant(kind, customerId, grantId, currency),
        kind === "paid" ? paidGoesTo : fundingOfGift(kind, currency),
        remaining,
      ),
    ],
    metadata: { grant_id: grantId },
  });
}

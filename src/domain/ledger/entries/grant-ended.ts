import type { CreditGrantKind } from "../../credits/index.ts";
import type { LedgerAmount } from "../../money/index.ts";
import type { AccountRef } from "../account-ref.ts";
import {
  breakageRevenue,
  creditsOfGrant,
  customerBalance,
  fundingOfGift,
  unclaimedProperty,
} from "../accounts.ts";
import { type EntryFacts, type JournalEntryDraft, journalEntryIfAny, posting } from "../journal-entry.ts";

export interface GrantEnded extends EntryFacts {
  readonly grantId: string;
  readonly kind: CreditGrantKind;
  /** What the grant still holds, all of it. */
  readonly remaining: LedgerAmount;
}

export interface GrantExpired extends GrantEnded {
  /** Whose paid credits become that are not used in time. `breakage` (ours) unless the law says otherwise. */
  readonly unusedBecome?: "breakage" | "unclaimed_property";
}

/**
 * Credits not used in time. Paid ones become breakage revenue, 2000 → 4020, or stay a debt where the law on unclaimed
 * property says so, 2000 → 2500; a gift is taken back, 2010 → 1300, and so is goodwill, 2010 → 5200. Null when none are
 * left.
 */
export function grantExpired({
  unusedBecome = "breakage",
  ...expired
}: GrantExpired): JournalEntryDraft | null {
  const paidGoesTo = unusedBecome === "breakage" ? breakageRevenue : unclaimedProperty;
  return grantEnded(expired, "grant_expired", paidGoesTo(expired.currency));
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
  paidGoesTo: AccountRef,
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

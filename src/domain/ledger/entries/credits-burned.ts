import type { CreditGrantKind } from "../../credits/index.ts";
import type { LedgerAmount } from "../../money/index.ts";
import { creditsOfGrant, promotionalDiscount, promotionalOffset, usageRevenue } from "../accounts.ts";
import {
  type EntryFacts,
  type JournalEntryDraft,
  journalEntryIfAny,
  type Posting,
  posting,
} from "../journal-entry.ts";

/** An amount taken from a grant for usage of a product, or given back to it. */
export interface ProductDraw {
  readonly grantId: string;
  readonly kind: CreditGrantKind;
  readonly productKey: string;
  readonly amount: LedgerAmount;
}

export interface CreditsBurned extends EntryFacts {
  /** The billing cycle whose usage the credits pay for. */
  readonly cycleId: string;
  readonly draws: readonly ProductDraw[];
}

/**
 * Credits pay for usage. A paid grant becomes revenue: 2000 → 4000. A promotional grant does too, 2010 → 4000, and
 * the discount takes it back, 4900 → 1300: nobody paid for it, so net revenue is zero. A goodwill grant becomes revenue,
 * 2010 → 4000: its expense was booked when it was given. Null without draws.
 */
export function creditsBurned({ cycleId, draws, ...facts }: CreditsBurned): JournalEntryDraft | null {
  return journalEntryIfAny(facts, {
    kind: "credits_burned",
    cause: { type: "billing_cycle", id: cycleId },
    postings: draws.flatMap((draw) => burnPostings(facts, draw)),
  });
}

/** The postings of one draw. */
export function burnPostings(
  { customerId, currency }: EntryFacts,
  { grantId, kind, productKey, amount }: ProductDraw,
): Posting[] {
  const postings = [
    posting(creditsOfGrant(kind, customerId, grantId, currency), usageRevenue(productKey, currency), amount),
  ];
  if (kind === "promotional")
    postings.push(posting(promotionalDiscount(currency), promotionalOffset(currency), amount));
  return postings;
}

import { type LedgerAmount, ledgerAmount } from "../../money/index.ts";
import { unbilledReceivable, usageRevenue } from "../accounts.ts";
import { type EntryFacts, type JournalEntryDraft, journalEntryIfAny, posting } from "../journal-entry.ts";
import { burnPostings, type ProductDraw } from "./credits-burned.ts";

export interface HoldSettled extends EntryFacts {
  /** The source key of the hold that was placed before the request ran; it settles once. */
  readonly holdKey: string;
  readonly productKey: string;
  /** What each grant pays of the cost, in the order of spending. */
  readonly draws: readonly Omit<ProductDraw, "productKey">[];
  /** What no grant pays: it goes on the next invoice. */
  readonly overage?: LedgerAmount;
}

/**
 * A request has run, and what it cost is known. Credits pay like those of a closed period: 2000 → 4000, 2010 → 4000, and
 * for gifts 4900 → 1300; the rest is owed, 1110 → 4000. Null when it cost nothing: the hold is only released.
 */
export function holdSettled(settled: HoldSettled): JournalEntryDraft | null {
  const { customerId, currency, holdKey, productKey, draws, overage = ledgerAmount(0n) } = settled;
  return journalEntryIfAny(settled, {
    kind: "hold_settled",
    cause: { type: "hold", id: holdKey },
    postings: [
      ...draws.flatMap((draw) => burnPostings(settled, { ...draw, productKey })),
      posting(unbilledReceivable(customerId, currency), usageRevenue(productKey, currency), overage),
    ],
  });
}

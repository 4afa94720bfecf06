import type { LedgerAmount, Money } from "../../money/index.ts";
import { deferredRevenue, subscriptionRevenue } from "../accounts.ts";
import { type EntryFacts, type JournalEntryDraft, journalEntryIfAny, posting } from "../journal-entry.ts";

export interface RevenueRecognised extends EntryFacts {
  readonly subscriptionId: string;
  /** The period that ended: its revenue is recognised once. */
  readonly cycleId: string;
  /** Per product what was invoiced in advance for the period, less what was handed back. */
  readonly items: readonly { readonly productKey: string; readonly amount: Money }[];
}

/** The period has been served, so what was invoiced in advance for it is earned: 2100 → 4010. Null when there was nothing. */
export function revenueRecognised(recognised: RevenueRecognised): JournalEntryDraft | null {
  const { subscriptionId, cycleId, items, ...facts } = recognised;
  const deferred = deferredRevenue(facts.customerId, subscriptionId, facts.currency);
  return journalEntryIfAny(facts, {
    kind: "revenue_recognised",
    cause: { type: "billing_cycle", id: cycleId },
    postings: items.map(({ productKey, amount }) =>
      posting(deferred, subscriptionRevenue(productKey, facts.currency), amount),
    ),
  });
}

export interface DailyRevenueRecognised extends EntryFacts {
  readonly subscriptionId: string;
  readonly cycleId: string;
  /** The day that was served, as a date, UTC; each is recognised once. */
  readonly day: string;
  /** Per product the day's share: see `recognitionShares`. */
  readonly items: readonly { readonly productKey: string; readonly amount: LedgerAmount }[];
}

/**
 * A day has been served, and its share of what was invoiced in advance is earned: 2100 → 4010. For books that recognise
 * by the day; a period is recognised either so, or as a whole when it ends.
 */
export function dailyRevenueRecognised(recognised: DailyRevenueRecognised): JournalEntryDraft | null {
  const { subscriptionId, cycleId, day, items, ...facts } = recognised;
  const deferred = deferredRevenue(facts.customerId, subscriptionId, facts.currency);
  return journalEntryIfAny(facts, {
    kind: "daily_revenue_recognised",
    cause: { type: "billing_cycle_day", id: `${cycleId}/${day}` },
    postings: items.map(({ productKey, amount }) =>
      posting(deferred, subscriptionRevenue(productKey, facts.currency), amount),
    ),
  });
}

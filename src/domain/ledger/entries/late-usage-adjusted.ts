import type { Period } from "../../calendar/index.ts";
import { isoOf } from "../../calendar/index.ts";
import {
  exactOfLedgerAmount,
  type LedgerAmount,
  ledgerAmount,
  ledgerAmountOfMoney,
  type Money,
  roundToMinor,
} from "../../money/index.ts";
import type { AccountRef } from "../account-ref.ts";
import {
  customerBalance,
  goodwill,
  promotionalDiscount,
  rounding,
  subscriptionRevenue,
  unbilledReceivable,
  usageRevenue,
} from "../accounts.ts";
import {
  type EntryFacts,
  type JournalEntryDraft,
  journalEntryIfAny,
  type Posting,
  posting,
  signedPosting,
} from "../journal-entry.ts";
import { burnPostings, type ProductDraw } from "./credits-burned.ts";

export interface UsageDifference {
  readonly productKey: string;
  readonly amount: LedgerAmount;
  /** Of too much: what the customer's balance takes of it, which is the amount rounded when left out. */
  readonly toBalance?: Money;
  /** An adjustment of a fee in arrears, which is revenue of a subscription. */
  readonly isFee?: boolean;
}

export interface LateUsageAdjusted extends EntryFacts {
  /** The correction: a period and its number, such as `sub_1/2026-01-01/2`. */
  readonly correctionId: string;
  /** The period the usage belongs to. */
  readonly period: Period;
  /** Per product: what is owed now less what was booked, after credits. Negative: booked too much. */
  readonly differences: readonly UsageDifference[];
  /** For too little: what credits pay of it. */
  readonly burned?: readonly ProductDraw[];
  /** For too much: what goes back to the grants it was drawn from (see `unburn`). Never an expired grant. */
  readonly restored?: readonly ProductDraw[];
  /** For too much: what was drawn from grants that have ended since, and becomes the customer's balance. */
  readonly credited?: readonly ProductDraw[];
  /** For too much: what was drawn from grants that have expired or been voided since. */
  readonly lapsed?: readonly ProductDraw[];
}

/**
 * Late or corrected usage of an invoiced period posts only the difference, and so does a period of which thresholds billed a
 * part. What is missing becomes unbilled receivable and goes on the next invoice, named by its period. What was too much goes back to the same grants first, newest draw
 * first. Where such a grant has ended, paid credits become the customer's balance, 4000 → 2200; gifts and goodwill have
 * ended with it, so only the discount, 4000 → 4900, or the expense, 4000 → 5200, is taken back. The rest is owed to the
 * customer in whole minor units, 4000 → 2200, and the fraction below is rounding.
 */
export function lateUsageAdjusted(adjusted: LateUsageAdjusted): JournalEntryDraft | null {
  const { correctionId, period, differences, burned = [], restored = [], ...rest } = adjusted;
  const { credited = [], lapsed = [], ...facts } = rest;
  return journalEntryIfAny(facts, {
    kind: "late_usage_adjusted",
    cause: { type: "usage_correction", id: correctionId },
    postings: [
      ...burned.flatMap((draw) => burnPostings(facts, draw)),
      ...restored.flatMap((draw) => burnPostings(facts, draw).map(swapped)),
      ...credited.map(({ productKey, amount }) =>
        posting(
          usageRevenue(productKey, facts.currency),
          customerBalance(facts.customerId, facts.currency),
          amount,
        ),
      ),
      ...lapsed.map((draw) => lapsedPosting(facts, draw)),
      ...differences.flatMap((difference) => differencePostings(facts, difference)),
    ],
    metadata: { period_start: isoOf(period.start), period_end: isoOf(period.end) },
  });
}

function differencePostings(
  facts: EntryFacts,
  { productKey, amount, toBalance, isFee = false }: UsageDifference,
): Posting[] {
  const { customerId, currency } = facts;
  const revenue = isFee ? subscriptionRevenue(productKey, currency) : usageRevenue(productKey, currency);
  return amount >= 0n && toBalance === undefined
    ? [posting(unbilledReceivable(customerId, currency), revenue, amount)]
    : refundPostings(facts, revenue, ledgerAmount(-amount), toBalance);
}

function refundPostings(
  { customerId, currency }: EntryFacts,
  revenue: AccountRef,
  amount: LedgerAmount,
  toBalance: Money = roundToMinor(exactOfLedgerAmount(amount), currency),
): Posting[] {
  const whole = ledgerAmountOfMoney(toBalance);
  return [
    posting(revenue, customerBalance(customerId, currency), whole),
    signedPosting(revenue, rounding(currency), ledgerAmount(amount - whole)),
  ];
}

/** What remains of a burn that is undone when its grant has ended: the return to the grant and its end, in one. */
function lapsedPosting(
  { customerId, currency }: EntryFacts,
  { kind, productKey, amount }: ProductDraw,
): Posting {
  const goesTo = {
    paid: customerBalance(customerId, currency),
    promotional: promotionalDiscount(currency),
    goodwill: goodwill(currency),
  };
  return posting(usageRevenue(productKey, currency), goesTo[kind], amount);
}

function swapped({ debit, credit, amount }: Posting): Posting {
  return posting(credit, debit, amount);
}

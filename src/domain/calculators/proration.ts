import {
  type AgreedAnchor,
  agreedPeriodAt,
  type BillingInterval,
  type Instant,
  isoOf,
  type Period,
} from "../calendar/index.ts";
import type { ProrationPolicy, Settlement } from "../catalog/index.ts";
import { BillingError } from "../errors.ts";
import {
  type ChargedPrice,
  chargedTime,
  decideChange,
  type InvoiceLine,
  type Terms,
} from "../invoicing/index.ts";
import { type Decimal, type Money, type RemainderRule, sumMoney, zero } from "../money/index.ts";
import { measureOf, type PeriodMeasure, shareOfQuantity, split } from "../proration/index.ts";
import { onePricePlan } from "./one-price-plan.ts";

export interface ProrationQuestion {
  /** Where the period begins in which the first change comes. */
  readonly periodStart: Instant;
  readonly interval: BillingInterval;
  readonly timeZone: string;
  /** What was charged for that period in advance, and what was paid of it: less, where there was a discount. */
  readonly charged: { readonly amount: Money; readonly paid: Money };
  /** In the order of time; each to another amount for a whole period, or to another interval. */
  readonly changes: readonly ProratedChange[];
  readonly policy: ProrationPolicy;
  /** Where the minor units of the segments go that are left over. */
  readonly remainder?: RemainderRule;
  /** What a whole period includes of a quantity free of charge; nothing when left out. */
  readonly included?: Decimal;
}

export interface ProratedChange {
  readonly at: Instant;
  readonly amount: Money;
  readonly interval: BillingInterval;
}

export interface ProrationAnswer {
  readonly changes: readonly {
    readonly at: Instant;
    readonly lines: readonly InvoiceLine[];
    readonly net: Money;
    readonly settle: Settlement;
    /** In which the change leaves the subscription. */
    readonly period: Period;
  }[];
  readonly net: Money;
  /** The first charge, and what is included, divided at the changes in its period: the parts sum to them exactly. */
  readonly segments: readonly {
    readonly period: Period;
    readonly amount: Money;
    readonly included: Decimal;
  }[];
}

export class ProrationChangeError extends BillingError {
  readonly code = "proration_change_invalid";
}

/** What changes inside a period hand back and charge: each as the change of a subscription is decided. */
export function calculateProration(question: ProrationQuestion): ProrationAnswer {
  const { periodStart, interval, timeZone, charged, changes, policy } = question;
  const anchors: AgreedAnchor[] = [
    { effectiveAt: periodStart, anchor: { at: periodStart, interval, timeZone } },
  ];
  const { period: first } = agreedPeriodAt(anchors, periodStart);
  let period = first;
  let terms = termsFor(policy, 1, { at: periodStart, amount: charged.amount, interval });
  let chargedPrices = [chargedPrice(charged)];
  const decided = changes.map((change, index) => {
    requireInPeriod(changes, index, period);
    const after = termsFor(policy, index + 2, change);
    const facts = { terms, anchors, timeZone, charged: chargedPrices };
    const { lines, settle, anchor } = decideChange(facts, after);
    if (anchor !== null) anchors.push(anchor);
    // A change hands back what was charged before, so what it charges is all there is to hand back later.
    if (lines.length > 0) chargedPrices = chargedTime(lines);
    terms = after;
    period = agreedPeriodAt(anchors, change.at).period;
    return { at: change.at, lines, net: netOf(lines, charged.amount), settle, period };
  });
  const measure = measureOf({ full: first, interval, timeZone }, policy);
  return {
    changes: decided,
    net: sumMoney(
      decided.map(({ net }) => net),
      charged.amount.currency,
    ),
    segments: segmentsOf(question, measure),
  };
}

function termsFor(policy: ProrationPolicy, version: number, { at, amount, interval }: ProratedChange): Terms {
  const plan = onePricePlan(amount, { version, interval, proration: policy });
  return { effectiveAt: at, items: [{ plan, seats: 1 }], paused: false };
}

function chargedPrice({ amount, paid }: ProrationQuestion["charged"]): ChargedPrice {
  const source = { planKey: "plan", planVersion: 1, priceKey: "fee", quantity: null };
  const { amountMinor } = amount;
  return { ...source, wholeMinor: amountMinor, billedMinor: amountMinor, paidMinor: paid.amountMinor };
}

function requireInPeriod(changes: readonly ProratedChange[], index: number, { start, end }: Period): void {
  const at = changes[index]?.at ?? start;
  const earliest = changes[index - 1]?.at ?? start;
  if (earliest <= at && at < end) return;
  throw new ProrationChangeError(
    `must be from ${isoOf(earliest)} on and before ${isoOf(end)}, when its period ends`,
    `changes[${index}].at`,
  );
}

function segmentsOf(
  { charged: { amount }, changes, remainder = "last", included = zero }: ProrationQuestion,
  measure: PeriodMeasure,
) {
  const { start, end } = measure.full;
  const cuts = changes.map(({ at }) => at).filter((at) => start < at && at < end);
  const bounds = [start, ...cuts, end];
  return split(amount, measure, cuts, { remainder }).map((part, index) => {
    const period = { start: bounds[index] ?? start, end: bounds[index + 1] ?? end };
    return { period, amount: part, included: shareOfQuantity(included, measure, period) };
  });
}

function netOf(lines: readonly InvoiceLine[], { currency }: Money): Money {
  return sumMoney(
    lines.map(({ amount }) => amount),
    currency,
  );
}

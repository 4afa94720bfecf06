import { type Instant, instantOfEpochMs, type Period } from "../calendar/index.ts";
import { burnCharges, type CreditGrant, type CreditPolicy, type UsageCharge } from "../credits/index.ts";
import type { RatedUsage } from "../invoicing/index.ts";
import { type LedgerAmount, ledgerAmount, ledgerAmountOfExact } from "../money/index.ts";
import type { AddedCharge } from "./cost.ts";

/** Where the money for usage comes from, in the order in which it is taken. */
export const paymentBuckets = ["allowance", "prepaid_credits", "on_demand"] as const;
export type PaymentBucket = (typeof paymentBuckets)[number];

export interface PaidPart {
  readonly bucket: PaymentBucket;
  /** Of prepaid credits. */
  readonly grantId: string | null;
  readonly amount: LedgerAmount;
}

/** Of what costs nothing. */
export const withinAllowance: readonly PaidPart[] = [
  { bucket: "allowance", grantId: null, amount: ledgerAmount(0n) },
];

/** What pays. */
export interface Means {
  readonly grants: readonly CreditGrant[];
  readonly policy: CreditPolicy;
  /** What was used of periods that are not closed, and will draw on credit first. */
  readonly unbilled: readonly { readonly period: Period; readonly rated: readonly RatedUsage[] }[];
}

/**
 * What would pay for more usage, as a closing pays: after all that was used before it. What costs nothing is within what
 * the price includes.
 */
export function paymentOf(added: readonly AddedCharge[], means: Means, now: Instant): PaidPart[] {
  const before = means.unbilled.flatMap(({ period, rated }) =>
    rated.map(({ plan, price, stretch, rated: { exactMinor } }) => ({
      ...{ plan, price, exactMinor },
      billed: period,
      used: { start: stretch.start, end: stretch.end },
    })),
  );
  const isNow = { start: now, end: instantOfEpochMs(now + 1) };
  const charges = [...before, ...added.map((each) => ({ ...each, used: isNow }))].map(chargeOf);
  const own = charges.slice(before.length);
  const payable = charges.filter(({ amount }) => amount > 0n);
  const { draws } = burnCharges(means.grants, payable, now, means.policy);
  const drawn = draws.filter(({ line }) => line >= before.length);
  const total = own.reduce((sum, { amount }) => sum + amount, 0n);
  const rest = total - drawn.reduce((sum, { amount }) => sum + amount, 0n);
  if (total <= 0n) return [...withinAllowance];
  return [
    ...drawn.map(({ grantId, amount }): PaidPart => ({ bucket: "prepaid_credits", grantId, amount })),
    ...(rest > 0n ? [{ bucket: "on_demand" as const, grantId: null, amount: ledgerAmount(rest) }] : []),
  ];
}

function chargeOf(
  { plan, price, exactMinor, billed, used }: AddedCharge & { readonly used: Period },
  line: number,
): UsageCharge {
  return {
    line,
    amount: ledgerAmountOfExact(exactMinor),
    used,
    billed,
    product: price.product,
    price: { planKey: plan.key, priceKey: price.key },
    ...(price.feature === undefined ? {} : { feature: price.feature }),
  };
}

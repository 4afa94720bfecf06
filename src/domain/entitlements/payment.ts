import { type Instant, instantOfEpochMs, type Period } from "../calendar/index.ts";
import {
  burnCharges,
  type CreditGrant,
  type CreditPolicy,
  take,
  type UsageCharge,
  type UsedItem,
} from "../credits/index.ts";
import type { RatedUsage } from "../invoicing/index.ts";
import {
  type Decimal,
  exactOfLedgerAmount,
  type LedgerAmount,
  ledgerAmount,
  ledgerAmountOfExact,
  minDecimal,
  sumDecimals,
  zero,
} from "../money/index.ts";
import type { AddedCharge } from "./cost.ts";
import { type PayingGrant, paysForAll } from "./paying-grants.ts";

/** Where the money for usage comes from, in the order in which it is taken. */
export const paymentBuckets = [
  "allowance",
  "seat_allowance",
  "team_pool",
  "prepaid_credits",
  "on_demand",
] as const;
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
  /** That anybody of the customer may spend; without what receipts were paid with. */
  readonly grants: readonly CreditGrant[];
  /** What the asker and those above him hold, in the order in which it pays. */
  readonly held?: readonly PayingGrant[];
  readonly policy: CreditPolicy;
  /** What was used of periods that are not closed, and will draw on credit first; less what receipts were paid with. */
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
  const seats = paidByHolders(added, means, now);
  if (seats !== null) return seats;
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

/** What is held pays for all of it, or leaves a rest that other credit and money pay; null where nothing is held. */
function paidByHolders(added: readonly AddedCharge[], means: Means, now: Instant): PaidPart[] | null {
  const { held = [], ...others } = means;
  const items = added.map(usedItemOf);
  const paying = held.filter(({ grant }) => grant.remaining > 0n && paysForAll(grant.scope, items));
  const total = sumDecimals(added.map(({ exactMinor }) => exactMinor));
  if (paying.length === 0 || !total.isGreaterThan(zero)) return null;
  const sources = paying.map(({ grant, bucket }) => ({ bucket, grantId: grant.id, amount: grant.remaining }));
  const { taken, left } = take(sources, ledgerAmountOfExact(total));
  if (left === 0n) return taken;
  return [...taken, ...paymentOf(restOf(added, exactOfLedgerAmount(left)), others, now)];
}

/** The charges that are left when the first of them are paid: the last ones, as far as they come to so much. */
function restOf(added: readonly AddedCharge[], left: Decimal): AddedCharge[] {
  let due = left;
  const rest = added.toReversed().map((charge) => {
    const exactMinor = minDecimal(charge.exactMinor, due);
    due = due.minus(exactMinor);
    return { ...charge, exactMinor };
  });
  return rest.toReversed();
}

const usedItemOf = ({ plan, price }: Pick<AddedCharge, "plan" | "price">): UsedItem => ({
  product: price.product,
  price: { planKey: plan.key, priceKey: price.key },
  ...(price.feature === undefined ? {} : { feature: price.feature }),
});

function chargeOf(
  { plan, price, exactMinor, billed, used }: AddedCharge & { readonly used: Period },
  line: number,
): UsageCharge {
  return {
    line,
    amount: ledgerAmountOfExact(exactMinor),
    used,
    billed,
    ...usedItemOf({ plan, price }),
  };
}

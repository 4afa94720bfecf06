import type { NegativeQuantity, PercentageModel } from "../catalog/index.ts";
import { type Decimal, decimal, maxDecimal, zero } from "../money/index.ts";
import { type RatedAmount, type RatedTier, ratedUnits, sumOfTiers } from "./rated-amount.ts";

const hundredth = decimal("0.01");

/** The share of an amount: for a percentage that asks nothing of single events. */
export function ratePercentage(model: PercentageModel, billable: Decimal): RatedTier[] {
  return [ratedUnits(billable, decimal(model.percent).times(hundredth), { part: "rate" })];
}

/** What an event adds: nothing while it is free; else its share and the fee, or one of the bounds. */
interface Counted {
  paid: Decimal;
  fees: bigint;
  minimums: bigint;
  maximums: bigint;
}

/**
 * Events one by one, in the order of their times. The first `freeEvents` and the first `freeAmount` of what they sum to are
 * free; of an event that passes the end of the amount, what lies beyond it is paid for. With both, the first of the two ends
 * decides. An event that is not wholly free pays the rate and the fee, within its bounds. One below zero takes back what the
 * same amount would have cost there, or costs nothing.
 * @param freeAmount null when amounts are not free
 */
export function rateEvents(
  model: PercentageModel,
  total: Decimal,
  events: readonly Decimal[],
  freeAmount: Decimal | null,
  negative: NegativeQuantity,
): RatedAmount {
  const counted: Counted = { paid: zero, fees: 0n, minimums: 0n, maximums: 0n };
  const charge = chargeFor(model, counted);
  const beyondFree = allowance(model.freeEvents ?? null, freeAmount);
  let free = zero;
  for (const [index, amount] of events.entries()) {
    if (amount.isNegative() && negative === "clamped") continue;
    const paid = beyondFree(index, amount);
    free = free.plus(paid === null ? amount : amount.minus(paid));
    if (paid !== null) charge(paid, amount);
  }
  const tiers = tiersOf(model, counted);
  return {
    quantity: total,
    includedQuantity: free,
    billableQuantity: total.minus(free),
    exactMinor: sumOfTiers(tiers),
    tiers,
  };
}

/** Says of each event in turn how much of it is to be paid; null of one that is wholly free. */
function allowance(
  freeEvents: number | null,
  freeAmount: Decimal | null,
): (index: number, amount: Decimal) => Decimal | null {
  let reached = zero;
  return (index, amount) => {
    const before = reached;
    reached = reached.plus(amount);
    if (freeEvents !== null && index >= freeEvents) return amount;
    if (freeAmount === null) return freeEvents === null ? amount : null;
    const beyond = beyondOf(reached, freeAmount).minus(beyondOf(before, freeAmount));
    return beyond.isZero() && !reached.isGreaterThan(freeAmount) ? null : beyond;
  };
}

const beyondOf = (reached: Decimal, freeAmount: Decimal): Decimal =>
  maxDecimal(reached.minus(freeAmount), zero);

/** Counts an event: its own amount says its sign, `paid` the part of it that is not free. */
function chargeFor(model: PercentageModel, counted: Counted): (paid: Decimal, amount: Decimal) => void {
  const rate = decimal(model.percent).times(hundredth);
  const fee = decimal(model.feePerEventMinor ?? "0");
  const least = model.perEventMinMinor === undefined ? null : decimal(model.perEventMinMinor);
  const most = model.perEventMaxMinor === undefined ? null : decimal(model.perEventMaxMinor);
  return (paid, amount) => {
    const isTakenBack = amount.isNegative();
    const once = isTakenBack ? -1n : 1n;
    const cost = (isTakenBack ? paid.negated() : paid).times(rate).plus(fee);
    if (most?.isLessThan(cost)) counted.maximums += once;
    else if (least?.isGreaterThan(cost)) counted.minimums += once;
    else {
      counted.paid = counted.paid.plus(paid);
      counted.fees += once;
    }
  };
}

function tiersOf(model: PercentageModel, { paid, fees, minimums, maximums }: Counted): RatedTier[] {
  const { percent, feePerEventMinor = "0", perEventMinMinor = "0", perEventMaxMinor = "0" } = model;
  return [
    ratedUnits(paid, decimal(percent).times(hundredth), { part: "rate" }),
    ratedUnits(decimal(fees), decimal(feePerEventMinor), { part: "fee" }),
    ratedUnits(decimal(minimums), decimal(perEventMinMinor), { part: "event_minimum" }),
    ratedUnits(decimal(maximums), decimal(perEventMaxMinor), { part: "event_maximum" }),
  ].filter(({ exactMinor }) => !exactMinor.isZero());
}

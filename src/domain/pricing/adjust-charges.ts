import type { PriceAdjustment } from "../catalog/index.ts";
import {
  addMoney,
  type Decimal,
  decimal,
  type Money,
  negateMoney,
  sumDecimals,
  sumMoney,
} from "../money/index.ts";
import { adjustmentParts } from "./adjustment-parts.ts";
import type { AdjustmentContext, AdjustmentPart, Charge } from "./charge.ts";
import type { Standing } from "./share-out.ts";

/**
 * Applies adjustments to the charges of a plan's period, in their order: each is reckoned on what those before it have left,
 * so a discount before a cap is another thing than one behind it. The charge that a minimum or a commitment makes is adjusted
 * further by those that are for all the prices it was reckoned on.
 *
 * Always adjust the charges of the whole period, as they are by now: what came of it before is taken off by whoever bills.
 * Every amount is rounded once, and its parts sum to it; no charge comes to less than nothing by being lowered.
 */
export function adjustCharges(
  charges: readonly Charge[],
  adjustments: readonly PriceAdjustment[],
  context: AdjustmentContext,
): AdjustmentPart[] {
  let standings: Standing[] = charges.map((charge) => standingOf(charge));
  const parts: AdjustmentPart[] = [];
  for (const adjustment of adjustments) {
    const covered = standings.filter(({ charge }) => covers(adjustment, charge));
    const made = isInEffect(adjustment, context) ? adjustCovered(adjustment, covered, context) : [];
    parts.push(...made);
    standings = afterwards(standings, made, adjustment);
  }
  return parts;
}

function covers({ prices }: PriceAdjustment, charge: Charge): boolean {
  return prices === "all" || (charge.prices !== "all" && charge.prices.every((key) => prices.includes(key)));
}

function isInEffect(adjustment: PriceAdjustment, { periodIndex, stage }: AdjustmentContext): boolean {
  if ("periods" in adjustment) return adjustment.periods === null || periodIndex < adjustment.periods;
  if (stage === "open") return adjustment.type !== "minimum";
  return stage === "period" || adjustment.type === "maximum";
}

function adjustCovered(
  adjustment: PriceAdjustment,
  covered: readonly Standing[],
  context: AdjustmentContext,
): AdjustmentPart[] {
  const settled = covered.flatMap(({ charge }) => charge.settled?.get(adjustment.key) ?? []);
  return adjustmentParts(
    {
      adjustment,
      covered,
      open: covered.filter(({ charge }) => charge.settled === undefined),
      basisMinor: sumDecimals(covered.map(({ exactMinor }) => exactMinor)),
      alreadyOff: negateMoney(sumMoney(settled, context.currency)),
    },
    context,
  );
}

/** The charges behind an adjustment: lowered or raised by it, with those that it made. */
function afterwards(
  standings: readonly Standing[],
  made: readonly AdjustmentPart[],
  { key }: PriceAdjustment,
): Standing[] {
  const moved = standings.map((standing) => {
    const settled = standing.charge.settled?.get(key);
    if (settled !== undefined) return movedBy(standing, decimal(settled.amountMinor), settled);
    const part = made.find(({ charge }) => charge === standing.charge);
    return part === undefined ? standing : movedBy(standing, part.exactMinor, part.amount);
  });
  const own = made.filter(({ kind }) => kind === "true_up").map(({ charge }) => standingOf(charge));
  return [...moved, ...own];
}

function standingOf(charge: Charge): Standing {
  return { charge, exactMinor: charge.exactMinor, amount: charge.amount };
}

function movedBy({ charge, exactMinor, amount }: Standing, exact: Decimal, by: Money): Standing {
  return { charge, exactMinor: exactMinor.plus(exact), amount: addMoney(amount, by) };
}

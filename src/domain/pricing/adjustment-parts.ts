import type { PriceAdjustment } from "../catalog/index.ts";
import {
  type Decimal,
  decimal,
  Fraction,
  type Money,
  maxDecimal,
  minDecimal,
  money,
  negateMoney,
  roundToMinor,
  subtractMoney,
  sumDecimals,
  sumMoney,
  zero,
} from "../money/index.ts";
import type { AdjustmentContext, AdjustmentPart, AdjustmentPartKind } from "./charge.ts";
import { sharePlaces } from "./distribute.ts";
import { type Standing, sharesWithin, surcharged, takenOff } from "./share-out.ts";

/** An adjustment with the charges that it is reckoned on. */
export interface Reckoned {
  readonly adjustment: PriceAdjustment;
  readonly covered: readonly Standing[];
  /** Those that can still be adjusted. */
  readonly open: readonly Standing[];
  /** What all of them come to. */
  readonly basisMinor: Decimal;
  /** What was taken off the others. */
  readonly alreadyOff: Money;
}

/** What an adjustment comes to, part by part. */
export function adjustmentParts(reckoned: Reckoned, context: AdjustmentContext): AdjustmentPart[] {
  const { adjustment, basisMinor } = reckoned;
  const { currency, inForce, charged, stage } = context;
  const made = (kind: AdjustmentPartKind, limit: Money | null, parts: readonly Part[]) =>
    parts.map((part) => ({ ...part, kind, limit, adjustment, basisMinor }));
  switch (adjustment.type) {
    case "percent_discount":
      return made("discount", null, percentOff(reckoned, decimal(adjustment.percent), context));
    case "amount_discount": {
      const limit = money(BigInt(adjustment.amountMinor), currency);
      return made("discount", limit, amountOff(reckoned, limit));
    }
    case "maximum": {
      const limit = money(limitFor(adjustment, inForce), currency);
      return made("cap", limit, cappedAt(reckoned, limit));
    }
    case "minimum": {
      const limit = money(limitFor(adjustment, charged), currency);
      return made("true_up", limit, missingTo(reckoned, limit));
    }
    case "commitment": {
      const limit = money(limitFor(adjustment, charged), currency);
      return [
        ...made("true_up", limit, adjustment.trueUp && stage === "period" ? missingTo(reckoned, limit) : []),
        ...made("overage", limit, beyond(reckoned, limit, decimal(adjustment.overageFactor))),
      ];
    }
  }
}

type Part = Pick<AdjustmentPart, "charge" | "exactMinor" | "amount">;

/** In whole minor units. Nothing is due of a plan that was not in force, or was paused, all the time. */
function limitFor(
  { amountMinor, prorated }: { readonly amountMinor: string; readonly prorated: boolean },
  time: Fraction,
): bigint {
  if (!prorated && !time.isZero()) return BigInt(amountMinor);
  return Fraction.ofDecimal(decimal(amountMinor)).times(time).rounded(0, "half-even").toBigInt();
}

function percentOff({ open }: Reckoned, percent: Decimal, { currency }: AdjustmentContext): Part[] {
  const hundred = decimal("100");
  const exact = open.map(({ exactMinor }) =>
    maxDecimal(exactMinor, zero).times(percent).dividedBy(hundred, sharePlaces, "half-even"),
  );
  return takenOff(open, exact, roundToMinor(sumDecimals(exact), currency));
}

function amountOff({ open, basisMinor, alreadyOff }: Reckoned, limit: Money): Part[] {
  const due = minDecimal(decimal(limit.amountMinor), basisMinor).minus(decimal(alreadyOff.amountMinor));
  return takenOff(open, sharesWithin(due, open), roundToMinor(due, limit.currency));
}

/** The lines as they are rounded come to no more than the cap either. */
function cappedAt({ covered, open, basisMinor, alreadyOff }: Reckoned, limit: Money): Part[] {
  const due = basisMinor.minus(decimal(limit.amountMinor + alreadyOff.amountMinor));
  const amount = subtractMoney(subtractMoney(amountOf(covered, limit), limit), alreadyOff);
  return takenOff(open, sharesWithin(due, open), amount);
}

/** What is missing to a limit is a charge; with it the lines as they are rounded come to the limit too. */
function missingTo({ adjustment, covered, basisMinor }: Reckoned, limit: Money): Part[] {
  const exactMinor = decimal(limit.amountMinor).minus(basisMinor);
  if (exactMinor.isNegative() || exactMinor.isZero()) return [];
  const missing = subtractMoney(limit, amountOf(covered, limit));
  const amount = missing.amountMinor > 0n ? missing : money(0n, limit.currency);
  return [
    { charge: { key: adjustment.key, prices: adjustment.prices, exactMinor, amount }, exactMinor, amount },
  ];
}

/** Each minor unit above the limit costs the factor instead of one: the difference goes on top of the charges. */
function beyond({ open, basisMinor }: Reckoned, limit: Money, factor: Decimal): Part[] {
  const above = maxDecimal(basisMinor.minus(decimal(limit.amountMinor)), zero);
  const more = above.times(factor.minus(decimal("1"))).rounded(sharePlaces, "half-even");
  const amount = roundToMinor(more, limit.currency);
  return more.isNegative()
    ? takenOff(open, sharesWithin(more.negated(), open), negateMoney(amount))
    : surcharged(open, more, amount);
}

function amountOf(standings: readonly Standing[], { currency }: Money): Money {
  return sumMoney(
    standings.map(({ amount }) => amount),
    currency,
  );
}

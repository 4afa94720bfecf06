import {
  allocate,
  compareMoney,
  type Decimal,
  decimal,
  isZero,
  type Money,
  maxDecimal,
  minDecimal,
  money,
  negateMoney,
  sumDecimals,
  sumMoney,
  zero,
} from "../money/index.ts";
import type { AdjustmentPart, Charge } from "./charge.ts";
import { distribute, sharePlaces } from "./distribute.ts";

/** A charge as the adjustments so far have left it. */
export interface Standing {
  readonly charge: Charge;
  readonly exactMinor: Decimal;
  readonly amount: Money;
}

type Part = Pick<AdjustmentPart, "charge" | "exactMinor" | "amount">;

/** Shares a total among charges, in proportion to them, within them. */
export function sharesWithin(total: Decimal, standings: readonly Standing[]): Decimal[] {
  const weights = standings.map(weightOf);
  const within = minDecimal(maxDecimal(total, zero), sumDecimals(weights));
  return within.isZero() ? weights.map(() => zero) : distribute(within, weights);
}

/**
 * Takes amounts off charges, none of which goes below zero.
 * @param exact for each charge, within it; what leaves nothing of them leaves nothing of the rounded charges either
 * @param amount for all of them, in whole minor units
 */
export function takenOff(standings: readonly Standing[], exact: readonly Decimal[], amount: Money): Part[] {
  const { currency } = amount;
  const rounded = standings.map((standing) => larger(standing.amount, money(0n, currency)));
  const all = sumMoney(rounded, currency);
  const whole = sumDecimals(standings.map(weightOf));
  const isEverything = !whole.isZero() && sumDecimals(exact).equals(whole);
  const off = isEverything ? all : larger(smaller(amount, all), money(0n, currency));
  const amounts = shared(
    off,
    rounded.map(({ amountMinor }) => amountMinor),
  );
  return partsOf(
    standings,
    exact.map((share) => share.negated()),
    amounts.map(negateMoney),
  );
}

/** Puts an amount on top of charges, in proportion to them; where all are for nothing there is nothing to put it on. */
export function surcharged(standings: readonly Standing[], exactMinor: Decimal, amount: Money): Part[] {
  const weights = standings.map(weightOf);
  if (exactMinor.isZero() || sumDecimals(weights).isZero()) return [];
  const exact = distribute(exactMinor, weights);
  const scale = decimal(10n ** BigInt(sharePlaces));
  const fine = exact.map((share) => share.times(scale).rounded(0, "down").toBigInt());
  return partsOf(standings, exact, shared(amount, fine));
}

/** A charge below zero is nothing that anything could be taken off. */
const weightOf = ({ exactMinor }: Standing): Decimal => maxDecimal(exactMinor, zero);

function shared(amount: Money, weights: readonly bigint[]): Money[] {
  return isZero(amount) ? weights.map(() => amount) : allocate(amount, weights);
}

function partsOf(
  standings: readonly Standing[],
  exact: readonly Decimal[],
  amounts: readonly Money[],
): Part[] {
  return standings.flatMap(({ charge }, index) => {
    const [exactMinor, amount] = [exact[index], amounts[index]];
    if (exactMinor === undefined || amount === undefined) return [];
    return exactMinor.isZero() && isZero(amount) ? [] : [{ charge, exactMinor, amount }];
  });
}

const smaller = (one: Money, other: Money): Money => (compareMoney(one, other) < 0 ? one : other);
const larger = (one: Money, other: Money): Money => (compareMoney(one, other) > 0 ? one : other);

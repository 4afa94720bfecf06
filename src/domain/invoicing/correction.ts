import type { Period } from "../calendar/index.ts";
import type { CreditPolicy } from "../credits/index.ts";
import {
  addMoney,
  type Currency,
  compareMoney,
  exactOfLedgerAmount,
  ledgerAmount,
  type Money,
  money,
  negateMoney,
  roundToMinor,
  subtractMoney,
  sumDecimals,
  sumMoney,
} from "../money/index.ts";
import { adjustmentLines, type NetDifference, netDifferences } from "./adjustment-lines.ts";
import type { BilledAs, BilledBefore } from "./billed-before.ts";
import type { InvoiceLine } from "./invoice-line.ts";
import type { RatedPeriod } from "./rate-period.ts";
import { type BookedAdjustment, chargeKey } from "./rated-adjustment.ts";
import { type GivenBackLine, givenBack } from "./returned-draws.ts";
import { type BookedUsage, usageLines } from "./usage-charges.ts";

/** What changes of a period that was billed before, wholly or in part. */
export interface Correction {
  readonly period: Period;
  /** As they are on the invoice. */
  readonly lines: readonly InvoiceLine[];
  /** Those of them that came to less than was billed. */
  readonly givenBack: readonly GivenBackLine[];
}

/**
 * What a period comes to less what was billed of it. That can be less than nothing: a volume price may fall with the quantity, a
 * true-up does with late usage, and a cap can move between prices.
 */
export function correctionOf(
  { period, rated, adjusted, fees }: RatedPeriod,
  before: BilledBefore | undefined,
  policy: CreditPolicy,
  as: BilledAs = "late",
): Correction {
  const { booked = [], adjusted: adjustedBefore = [], draws = [] } = before ?? {};
  // Fees are charged when the period ends, as a whole, and stay as they are.
  const feesDue = as === "late" ? [] : fees;
  const isOfFee = ({ earning }: Pick<InvoiceLine, "earning">) => as === "thresholds" && earning === "earned";
  const adjustments = adjustmentLines(adjusted, adjustedBefore, as);
  const differences = [...usageLines(rated, booked, as), ...adjustments.filter((line) => !isOfFee(line))];
  const billed = netBooked(booked, adjustedBefore);
  const settled = netDifferences(differences).map(({ lines, tooMuch }): Settled => {
    if (tooMuch === null) return billedOrRounded(lines);
    const back = notBelowZero(tooMuch, givenBack(tooMuch, draws, billed, policy));
    return { lines: [back.line], givenBack: [back] };
  });
  return {
    period,
    lines: [...settled.flatMap(({ lines }) => lines), ...feesDue, ...adjustments.filter(isOfFee)],
    givenBack: settled.flatMap((each) => each.givenBack),
  };
}

type Settled = Pick<Correction, "lines" | "givenBack">;

/**
 * Shares of an amount are rounded together, so a share can come to a cent less although it is more, exactly. The cent is
 * given back, and the lines ask for what is more.
 */
function billedOrRounded(lines: NetDifference["lines"]): Settled {
  const [first] = lines;
  if (first === undefined) return { lines, givenBack: [] };
  const { currency } = first.amount;
  const nothing = money(0n, currency);
  const sum = sumMoney(
    lines.map(({ amount }) => amount),
    currency,
  );
  if (compareMoney(sum, nothing) >= 0) return { lines, givenBack: [] };
  const lowest = lines.reduce((low, line) => (compareMoney(line.amount, low.amount) < 0 ? line : low));
  const moneyToBalance = negateMoney(sum);
  const raised = {
    ...lowest,
    amount: subtractMoney(lowest.amount, sum),
    detail: { ...lowest.detail, creditedToBalanceMinor: moneyToBalance.amountMinor.toString() },
  };
  return {
    lines: lines.map((line) => (line === lowest ? raised : line)),
    givenBack: [{ line: raised, returned: [], money: ledgerAmount(0n), moneyToBalance }],
  };
}

/** The reverse: a share that is less, exactly, and comes to a cent more. The line asks for it. */
function notBelowZero({ amount }: InvoiceLine, back: GivenBackLine): GivenBackLine {
  if (back.moneyToBalance.amountMinor >= 0n) return back;
  const { creditedToBalanceMinor: _none, ...detail } = back.line.detail;
  const moneyToBalance = money(0n, amount.currency);
  return { ...back, moneyToBalance, line: { ...back.line, amount, detail } };
}

/** What usage was billed at, after adjustments. */
function netBooked(booked: readonly BookedUsage[], adjusted: readonly BookedAdjustment[]): BookedUsage[] {
  return booked.map((row) => {
    const onIt = adjusted.filter(
      ({ planKey, priceKey, charge, period }) =>
        planKey === row.planKey &&
        priceKey === row.priceKey &&
        period.start === row.termsStart &&
        charge === chargeKey(row.priceKey, period),
    );
    const exactMinor = sumDecimals([row.exactMinor, ...onIt.map((part) => part.exactMinor)]);
    return { ...row, exactMinor };
  });
}

/** What corrections put on the customer's balance, as far as it can pay an invoice: whole minor units. */
export function toBalance(corrections: readonly Correction[], currency: Currency): Money {
  const given = corrections.flatMap((correction) => correction.givenBack);
  const credited = given.flatMap(({ returned }) => returned.filter(({ to }) => to === "balance"));
  const exact = sumDecimals(credited.map(({ amount }) => exactOfLedgerAmount(amount)));
  const money = given.map(({ moneyToBalance }) => moneyToBalance);
  return addMoney(sumMoney(money, currency), roundToMinor(exact, currency, "down"));
}

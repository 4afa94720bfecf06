import {
  type CreditPolicy,
  giveBack,
  type ReturnableDraw,
  type Returned,
  usualCreditPolicy,
} from "../credits/index.ts";
import {
  decimal,
  exactOfLedgerAmount,
  type LedgerAmount,
  ledgerAmount,
  ledgerAmountOfExact,
  type Money,
  money,
  roundToMinor,
  zero,
} from "../money/index.ts";
import type { InvoiceLine } from "./invoice-line.ts";
import type { BookedUsage } from "./usage-charges.ts";

/** What a line of an issued invoice drew from a grant, less what went back since. */
export interface RecordedDraw extends ReturnableDraw {
  readonly invoiceId: string;
  /** Among the invoice's draws, in their order. */
  readonly position: number;
  /** Its number on the invoice, from 1. */
  readonly line: number;
  readonly product: string;
  readonly planKey: string | null;
  readonly priceKey: string | null;
  /** When the line's time begins, which names the stretch of terms. */
  readonly lineStart: number;
}

export type ReturnedDraw = Returned<RecordedDraw>;

/** A line of usage that came to less than was billed: it asks for nothing, and says what became of the difference. */
export interface GivenBackLine {
  readonly line: InvoiceLine;
  readonly returned: readonly ReturnedDraw[];
  /** What money paid of it, exact. */
  readonly money: LedgerAmount;
  /** The same as the customer's balance takes it. */
  readonly moneyToBalance: Money;
}

/**
 * Gives back what was billed too much of one price: to the grants that paid for it, and to the customer's balance.
 * @param line whose exact amount is negative
 * @param draws of the same period, in the order in which they were made
 */
export function givenBack(
  line: InvoiceLine,
  draws: readonly RecordedDraw[],
  booked: readonly BookedUsage[],
  policy: CreditPolicy = usualCreditPolicy,
): GivenBackLine {
  const { currency } = line.amount;
  const ofLine = draws.filter((draw) => isOf(line, draw));
  const before = booked.find(
    ({ termsStart, planKey, priceKey }) =>
      termsStart === line.period.start &&
      planKey === line.source?.planKey &&
      priceKey === line.source.priceKey,
  );
  const paidByCredit = ofLine.reduce((sum, { amount }) => sum + amount, 0n);
  const billed = ledgerAmountOfExact(before?.exactMinor ?? zero);
  const inMoney = ledgerAmount(billed > paidByCredit ? billed - paidByCredit : 0n);
  const less = ledgerAmount(-ledgerAmountOfExact(line.exactMinor));
  const back = giveBack(ofLine, inMoney, less, policy);
  // Without credit the lines of a price stay together its total, rounded once.
  const toBalance =
    back.returned.length === 0
      ? money(-line.amount.amountMinor, currency)
      : roundToMinor(exactOfLedgerAmount(back.money), currency);
  return { line: asksNothing(line, back.returned, toBalance), ...back, moneyToBalance: toBalance };
}

function asksNothing(line: InvoiceLine, returned: readonly ReturnedDraw[], toBalance: Money): InvoiceLine {
  const sumTo = (place: ReturnedDraw["to"]) =>
    returned.reduce((sum, { to, amount }) => (to === place ? sum + amount : sum), 0n);
  const exact = (amount: bigint) => exactOfLedgerAmount(ledgerAmount(amount));
  const balance = decimal(toBalance.amountMinor).plus(exact(sumTo("balance")));
  const credited = { creditedToBalanceMinor: balance.text };
  const detail =
    returned.length === 0
      ? credited
      : {
          ...credited,
          returnedToGrantsMinor: exact(sumTo("grant")).text,
          lapsedWithGrantsMinor: exact(sumTo("lapsed")).text,
        };
  return {
    ...line,
    exactMinor: zero,
    amount: money(0n, line.amount.currency),
    detail: { ...line.detail, ...detail },
  };
}

function isOf({ period, source }: InvoiceLine, { lineStart, planKey, priceKey }: RecordedDraw): boolean {
  return lineStart === period.start && planKey === source?.planKey && priceKey === source?.priceKey;
}

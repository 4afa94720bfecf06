import type { LineDraw } from "../credits/index.ts";
import {
  addMoney,
  type Currency,
  exactOfLedgerAmount,
  type LedgerAmount,
  type Money,
  money,
  negateMoney,
  roundToMinor,
  subtractMoney,
  sumDecimals,
  sumMoney,
} from "../money/index.ts";
import { carriedLine } from "./carried-line.ts";
import { chargeMinimum } from "./charge-minimum.ts";
import type { InvoiceLine } from "./invoice-line.ts";
import { type GivenTax, taxInvoiceLines } from "./tax-lines.ts";
import { creditFor, isUsage, type UsageCredit } from "./usage-credit.ts";

export interface InvoiceTotals {
  /** The sum of the lines, tax not among them. */
  readonly subtotal: Money;
  /** The sum of the tax lines: credit grants pay none of it. */
  readonly tax: Money;
  /** What credit grants pay of the usage. */
  readonly creditsApplied: Money;
  /** What each line drew from which grant, in the order in which it was drawn. */
  readonly draws: readonly LineDraw[];
  /** Usage left for the customer to pay, exact: what the ledger holds as unbilled. */
  readonly uncoveredUsage: LedgerAmount;
  /** Taken from the customer's balance; negative when the invoice itself is negative and adds to it. */
  readonly balanceApplied: Money;
  /** What is to be paid; never negative. */
  readonly total: Money;
}

/** What an invoice is paid with besides money. */
export interface InvoiceMeans extends UsageCredit {
  readonly customerBalance: Money;
  readonly currency: Currency;
  /** Reckoned outside for these lines; nobody reckons tax when left out. */
  readonly tax?: GivenTax;
}

/**
 * Adds an invoice up: lines, then credit grants for the usage among them, then tax, then the customer's balance.
 * Grants pay exact amounts; when they cover all usage, the customer pays nothing for it, whatever the rounding.
 */
export function invoiceTotals(lines: readonly InvoiceLine[], means: InvoiceMeans): InvoiceTotals {
  const { currency, customerBalance } = means;
  const sumOf = (some: readonly InvoiceLine[]) =>
    sumMoney(
      some.map(({ amount }) => amount),
      currency,
    );
  const isTax = ({ kind }: InvoiceLine) => kind === "tax";
  const subtotal = sumOf(lines.filter((line) => !isTax(line)));
  const tax = sumOf(lines.filter(isTax));
  const { draws, uncovered } = creditFor(lines, means);
  const creditsApplied = creditsInMinorUnits(draws, uncovered, sumOf(lines.filter(isPayable)));
  const afterCredits = addMoney(subtractMoney(subtotal, creditsApplied), tax);
  const balanceApplied =
    afterCredits.amountMinor < 0n ? afterCredits : smaller(afterCredits, customerBalance);
  return {
    subtotal,
    tax,
    creditsApplied,
    draws,
    uncoveredUsage: uncovered,
    balanceApplied,
    total: subtractMoney(afterCredits, balanceApplied),
  };
}

/** An invoice added up, with the line that carries it forward when it is too small to be charged. */
export interface AddedUpInvoice {
  readonly lines: readonly InvoiceLine[];
  readonly totals: InvoiceTotals;
}

/** Adds an invoice up, with its tax; an amount too small to be charged is taken off it, to come back on the next one. */
export function addUpInvoice(untaxed: readonly InvoiceLine[], means: InvoiceMeans): AddedUpInvoice {
  const { currency, asOf } = means;
  const lines = [...untaxed, ...taxInvoiceLines(means.tax, asOf)];
  const totals = invoiceTotals(lines, means);
  const { amountMinor } = totals.total;
  if (amountMinor === 0n || amountMinor >= chargeMinimum(currency).amountMinor) return { lines, totals };
  const period = { start: asOf, end: asOf };
  const carried = [...lines, carriedLine("carried_forward", negateMoney(totals.total), period)];
  return { lines: carried, totals: invoiceTotals(carried, means) };
}

/** Where the sum is rounded, what credit pays for is rounded with it. */
function isPayable(line: InvoiceLine): boolean {
  return isUsage(line) || line.kind === "rounding";
}

function creditsInMinorUnits(draws: readonly LineDraw[], uncovered: LedgerAmount, usage: Money): Money {
  if (draws.length === 0) return money(0n, usage.currency);
  if (uncovered === 0n) return usage;
  const drawn = sumDecimals(draws.map(({ amount }) => exactOfLedgerAmount(amount)));
  return smaller(roundToMinor(drawn, usage.currency), usage);
}

function smaller(one: Money, other: Money): Money {
  return one.amountMinor < other.amountMinor ? one : other;
}

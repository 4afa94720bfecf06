import type { Instant } from "../calendar/index.ts";
import { burn, type CreditGrant, type Draw } from "../credits/index.ts";
import {
  type Currency,
  exactOfLedgerAmount,
  type LedgerAmount,
  ledgerAmount,
  ledgerAmountOfExact,
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

export interface InvoiceTotals {
  /** The sum of the lines. */
  readonly subtotal: Money;
  /** What credit grants pay of the usage. */
  readonly creditsApplied: Money;
  readonly draws: readonly Draw[];
  /** Usage left for the customer to pay, exact: what the ledger holds as unbilled. */
  readonly uncoveredUsage: LedgerAmount;
  /** Taken from the customer's balance; negative when the invoice itself is negative and adds to it. */
  readonly balanceApplied: Money;
  /** What is to be paid; never negative. */
  readonly total: Money;
}

/**
 * Adds an invoice up: lines, then credit grants for the usage among them, then the customer's balance.
 * Grants pay exact amounts; when they cover all usage, the customer pays nothing for it, whatever the rounding.
 */
export function invoiceTotals(
  lines: readonly InvoiceLine[],
  grants: readonly CreditGrant[],
  customerBalance: Money,
  currency: Currency,
  asOf: Instant,
): InvoiceTotals {
  const subtotal = sumMoney(
    lines.map(({ amount }) => amount),
    currency,
  );
  const usage = lines.filter(isUsage);
  const usageExact = ledgerAmount(
    usage.reduce((sum, { exactMinor }) => sum + ledgerAmountOfExact(exactMinor), 0n),
  );
  const usageMinor = sumMoney(
    usage.map(({ amount }) => amount),
    currency,
  );
  const { draws, uncovered } = burn(grants, usageExact, asOf);
  const creditsApplied = creditsInMinorUnits(draws, uncovered, usageMinor);
  const afterCredits = subtractMoney(subtotal, creditsApplied);
  const balanceApplied =
    afterCredits.amountMinor < 0n ? afterCredits : smaller(afterCredits, customerBalance);
  return {
    subtotal,
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

/** What an invoice is paid with besides money. */
export interface InvoiceMeans {
  readonly grants: readonly CreditGrant[];
  readonly customerBalance: Money;
  readonly currency: Currency;
  readonly asOf: Instant;
}

/** Adds an invoice up; an amount too small to be charged is taken off it, to come back on the next one. */
export function addUpInvoice(
  lines: readonly InvoiceLine[],
  { grants, customerBalance, currency, asOf }: InvoiceMeans,
): AddedUpInvoice {
  const totals = invoiceTotals(lines, grants, customerBalance, currency, asOf);
  const { amountMinor } = totals.total;
  if (amountMinor === 0n || amountMinor >= chargeMinimum(currency).amountMinor) return { lines, totals };
  const period = { start: asOf, end: asOf };
  const carried = [...lines, carriedLine("carried_forward", negateMoney(totals.total), period)];
  return { lines: carried, totals: invoiceTotals(carried, grants, customerBalance, currency, asOf) };
}

/** Whether a line is for metered usage, which credits may pay. */
export function isUsage({ kind }: InvoiceLine): boolean {
  return kind === "usage" || kind === "late_usage";
}

function creditsInMinorUnits(draws: readonly Draw[], uncovered: LedgerAmount, usage: Money): Money {
  if (draws.length === 0) return money(0n, usage.currency);
  if (uncovered === 0n) return usage;
  const drawn = sumDecimals(draws.map(({ amount }) => exactOfLedgerAmount(amount)));
  return smaller(roundToMinor(drawn, usage.currency), usage);
}

function smaller(one: Money, other: Money): Money {
  return one.amountMinor < other.amountMinor ? one : other;
}

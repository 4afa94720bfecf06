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
  roundToMinor,
  subtractMoney,
  sumDecimals,
  sumMoney,
} from "../money/index.ts";
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

import type { ChargesBurn, CreditGrant, LineDraw } from "../credits/index.ts";
import {
  addMoney,
  type Currency,
  exactOfLedgerAmount,
  type LedgerAmount,
  ledgerAmount,
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

/** Lines whose usage is paid for by the same rules: those of one subscription. */
export interface PartToAddUp {
  readonly lines: readonly InvoiceLine[];
  /** Its grants are the customer's; what the parts before it draw on them is not there for it. */
  readonly credit: UsageCredit;
}

/**
 * Adds an invoice up: lines, then credit grants for the usage among them, then tax, then the customer's balance.
 * Grants pay exact amounts; when they cover all usage, the customer pays nothing for it, whatever the rounding.
 */
export function invoiceTotals(lines: readonly InvoiceLine[], means: InvoiceMeans): InvoiceTotals {
  return totalsOf([{ lines, credit: means }], means);
}

/** Credit pays part after part; the customer's balance pays what is left of their sum. */
function totalsOf(
  parts: readonly PartToAddUp[],
  { currency, customerBalance }: Pick<InvoiceMeans, "currency" | "customerBalance">,
): InvoiceTotals {
  const paid = paidByCredit(parts, currency);
  const lines = parts.flatMap((part) => part.lines);
  const isTax = ({ kind }: InvoiceLine) => kind === "tax";
  const subtotal = sumOf(
    lines.filter((line) => !isTax(line)),
    currency,
  );
  const tax = sumOf(lines.filter(isTax), currency);
  const creditsApplied = sumMoney(
    paid.map((each) => each.creditsApplied),
    currency,
  );
  const afterCredits = addMoney(subtractMoney(subtotal, creditsApplied), tax);
  const balanceApplied =
    afterCredits.amountMinor < 0n ? afterCredits : smaller(afterCredits, customerBalance);
  return {
    subtotal,
    tax,
    creditsApplied,
    draws: paid.flatMap(({ draws }) => draws),
    uncoveredUsage: ledgerAmount(paid.reduce((sum, { uncovered }) => sum + uncovered, 0n)),
    balanceApplied,
    total: subtractMoney(afterCredits, balanceApplied),
  };
}

/** What credit pays of each part; draws name lines by their places in the whole invoice. */
function paidByCredit(
  parts: readonly PartToAddUp[],
  currency: Currency,
): (ChargesBurn & { readonly creditsApplied: Money })[] {
  const drawn = new Map<string, bigint>();
  let before = 0;
  return parts.map(({ lines, credit }) => {
    const grants = drawn.size === 0 ? credit.grants : grantsLess(credit.grants, drawn);
    const { draws, uncovered } = creditFor(lines, { ...credit, grants });
    for (const { grantId, amount } of draws) drawn.set(grantId, (drawn.get(grantId) ?? 0n) + amount);
    // What its own receipts reserved was never there for the parts after it.
    for (const { grantId, released } of credit.reserved ?? []) {
      drawn.set(grantId, (drawn.get(grantId) ?? 0n) - released);
    }
    const placed = draws.map((draw) => ({ ...draw, line: draw.line + before }));
    before += lines.length;
    const usage = sumOf(lines.filter(isPayable), currency);
    return { draws: placed, uncovered, creditsApplied: creditsInMinorUnits(draws, uncovered, usage) };
  });
}

const grantsLess = (grants: readonly CreditGrant[], drawn: ReadonlyMap<string, bigint>): CreditGrant[] =>
  grants.map((grant) => ({
    ...grant,
    remaining: ledgerAmount(grant.remaining - (drawn.get(grant.id) ?? 0n)),
  }));

/** An invoice added up, with the line that carries it forward when it is too small to be charged. */
export interface AddedUpInvoice {
  readonly lines: readonly InvoiceLine[];
  readonly totals: InvoiceTotals;
}

/** Adds an invoice up, with its tax; an amount too small to be charged is taken off it, to come back on the next one. */
export function addUpInvoice(lines: readonly InvoiceLine[], means: InvoiceMeans): AddedUpInvoice {
  const { parts, totals } = addUpTogether([{ lines, credit: means }], means);
  return { lines: parts[0] ?? [], totals };
}

export interface AddedUpTogether {
  /** The lines of each part: one after the other, those of the invoice. */
  readonly parts: readonly (readonly InvoiceLine[])[];
  readonly totals: InvoiceTotals;
}

/**
 * Adds an invoice of several parts up. Tax, the customer's balance, and whether it is too small to be charged, are of their sum;
 * the last part that has anything has the lines of them.
 */
export function addUpTogether(
  untaxed: readonly PartToAddUp[],
  means: Pick<InvoiceMeans, "currency" | "customerBalance" | "asOf" | "tax">,
): AddedUpTogether {
  const { currency, asOf } = means;
  const linesOf = (some: readonly PartToAddUp[]) => some.map(({ lines }) => lines);
  const parts = withLines(untaxed, taxInvoiceLines(means.tax, asOf));
  const totals = totalsOf(parts, means);
  const { amountMinor } = totals.total;
  if (amountMinor === 0n || amountMinor >= chargeMinimum(currency).amountMinor) {
    return { parts: linesOf(parts), totals };
  }
  const line = carriedLine("carried_forward", negateMoney(totals.total), { start: asOf, end: asOf });
  const carried = withLines(parts, [line]);
  return { parts: linesOf(carried), totals: totalsOf(carried, means) };
}

/** With lines that are of all parts: behind those of the last one that has any. */
function withLines(parts: readonly PartToAddUp[], added: readonly InvoiceLine[]): readonly PartToAddUp[] {
  if (added.length === 0) return parts;
  const last = parts.findLastIndex(({ lines }) => lines.length > 0);
  return parts.map((part, place) => (place === last ? { ...part, lines: [...part.lines, ...added] } : part));
}

function sumOf(lines: readonly InvoiceLine[], currency: Currency): Money {
  return sumMoney(
    lines.map(({ amount }) => amount),
    currency,
  );
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

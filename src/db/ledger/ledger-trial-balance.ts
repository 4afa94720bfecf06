import type { Instant } from "../../domain/calendar/index.ts";
import { type AccountingMonth, periodOfMonth } from "../../domain/ledger/accounting-month.ts";
import type { AccountCode } from "../../domain/ledger/index.ts";
import { type Currency, type LedgerSum, ledgerSum, sumLedger } from "../../domain/money/index.ts";
import { rows, sql, type Tx } from "../database.ts";
import { type EntryRange, isUnlimited, turnover, wholeLedger } from "./ledger-turnover.ts";

/** The sums of all accounts of a code in a currency. */
export interface AccountSums {
  readonly debit: LedgerSum;
  readonly credit: LedgerSum;
  /** Positive on the accounts' normal side. */
  readonly balance: LedgerSum;
}

/** One line per currency and code; in each currency the debits of all lines equal the credits. */
export interface TrialBalanceLine extends AccountSums {
  readonly currency: Currency;
  readonly code: AccountCode;
  readonly name: string;
}

/** Of everything recorded, or of a range of entries. */
export async function trialBalance(
  tx: Tx,
  currency?: Currency,
  range: EntryRange = wholeLedger,
): Promise<TrialBalanceLine[]> {
  const standings = isUnlimited(range)
    ? sql`select account_id, debit, credit from ledger.balance`
    : turnover(range);
  const found = await rows<Record<keyof AccountSums, string> & TrialBalanceLine>(
    tx,
    sql`select account.currency, account.code, chart.name,
          sum(standing.debit) as debit, sum(standing.credit) as credit,
          chart.normal * sum(standing.debit - standing.credit) as balance
        from (${standings}) as standing
        join ledger.account as account on account.id = standing.account_id
        join ledger.chart_account as chart on chart.code = account.code
        where ${currency ?? null}::text is null or account.currency = ${currency ?? null}
        group by account.currency, account.code, chart.name, chart.normal
        order by account.currency, account.code`,
  );
  return found.map(({ debit, credit, balance, ...line }) => ({
    ...line,
    debit: ledgerSum(BigInt(debit)),
    credit: ledgerSum(BigInt(credit)),
    balance: ledgerSum(BigInt(balance)),
  }));
}

/** What there was before a month, what moved in it, and both together. */
export interface MonthLine extends Pick<TrialBalanceLine, "currency" | "code" | "name"> {
  readonly opening: AccountSums;
  readonly movements: AccountSums;
  readonly closing: AccountSums;
}

/**
 * The trial balance of a month, by effective dates.
 * @param tx one snapshot: opening and movements are read one after the other
 * @param recordedBefore only what was recorded before it: the month as it looked then
 */
export async function monthlyTrialBalance(
  tx: Tx,
  month: AccountingMonth,
  currency?: Currency,
  recordedBefore?: Instant,
): Promise<MonthLine[]> {
  const { start, end } = periodOfMonth(month);
  const before = { effectiveBefore: start, recordedBefore };
  const within = { effectiveFrom: start, effectiveBefore: end, recordedBefore };
  const opening = byAccount(await trialBalance(tx, currency, before));
  const movements = byAccount(await trialBalance(tx, currency, within));
  const inOrder = [...new Map([...opening, ...movements])].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return inOrder.map(([key, { currency, code, name }]) => {
    const opened = sumsOf(opening.get(key));
    const moved = sumsOf(movements.get(key));
    return { currency, code, name, opening: opened, movements: moved, closing: bothOf(opened, moved) };
  });
}

const byAccount = (lines: readonly TrialBalanceLine[]) =>
  new Map(lines.map((line) => [`${line.currency}/${line.code}`, line]));

function sumsOf(line: TrialBalanceLine | undefined): AccountSums {
  const { debit = nothing, credit = nothing, balance = nothing } = line ?? {};
  return { debit, credit, balance };
}

const nothing = ledgerSum(0n);

const bothOf = (one: AccountSums, other: AccountSums): AccountSums => ({
  debit: sumLedger([one.debit, other.debit]),
  credit: sumLedger([one.credit, other.credit]),
  balance: sumLedger([one.balance, other.balance]),
});

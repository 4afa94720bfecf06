import { and, asc, desc, eq, inArray, lt } from "drizzle-orm";
import type { Instant } from "../domain/calendar/index.ts";
import { type AccountCode, type AccountRef, accountKey, accountRefOfKey } from "../domain/ledger/index.ts";
import { type Currency, type LedgerAmount, ledgerAmount } from "../domain/money/index.ts";
import { rows, sql, type Tx } from "./database.ts";
import { type Page, type PageRequest, pageOf, rowsToRead } from "./page.ts";
import { account, accountHistory, balance, journalEntry } from "./schema/ledger.ts";

/** The balance of one account, positive on its normal side; zero when it was never posted to. */
export async function accountBalance(tx: Tx, ref: AccountRef): Promise<LedgerAmount> {
  const [amount = ledgerAmount(0n)] = await accountBalances(tx, [ref]);
  return amount;
}

/** The balances of several accounts in the order asked for, all as of one instant. */
export async function accountBalances(tx: Tx, refs: readonly AccountRef[]): Promise<LedgerAmount[]> {
  const keys = refs.map(accountKey);
  if (keys.length === 0) return [];
  const found = await tx
    .select({ key: balance.key, balance: balance.balance })
    .from(balance)
    .where(inArray(balance.key, keys));
  const byKey = new Map(found.map((row) => [row.key, row.balance]));
  return keys.map((key) => byKey.get(key) ?? ledgerAmount(0n));
}

export interface NamedBalance {
  readonly account: AccountRef;
  readonly key: string;
  /** The name of its code in the chart. */
  readonly name: string;
  readonly debit: LedgerAmount;
  readonly credit: LedgerAmount;
  /** Positive on the account's normal side. */
  readonly balance: LedgerAmount;
}

/** All accounts of a customer, also those that are back at zero, by key. */
export async function customerBalances(tx: Tx, customerId: string): Promise<NamedBalance[]> {
  const found = await tx
    .select({
      key: balance.key,
      name: balance.name,
      debit: balance.debit,
      credit: balance.credit,
      balance: balance.balance,
    })
    .from(balance)
    .where(eq(balance.customerId, customerId))
    .orderBy(asc(balance.key));
  return found.map((row) => ({ account: accountRefOfKey(row.key), ...row }));
}

export interface TrialBalanceLine {
  readonly currency: Currency;
  readonly code: AccountCode;
  readonly name: string;
  readonly debit: LedgerAmount;
  readonly credit: LedgerAmount;
  /** Positive on the account's normal side. */
  readonly balance: LedgerAmount;
}

/** One line per currency and code, as of one instant; in each currency the debits equal the credits. */
export async function trialBalance(tx: Tx, currency?: Currency): Promise<TrialBalanceLine[]> {
  const found = await rows<Record<"debit" | "credit" | "balance", string> & TrialBalanceLine>(
    tx,
    sql`select currency, code, name, sum(debit) as debit, sum(credit) as credit, sum(balance) as balance
        from ledger.balance
        where ${currency ?? null}::text is null or currency = ${currency ?? null}
        group by currency, code, name order by currency, code`,
  );
  return found.map(({ debit, credit, balance, ...line }) => ({
    ...line,
    debit: ledgerAmount(BigInt(debit)),
    credit: ledgerAmount(BigInt(credit)),
    balance: ledgerAmount(BigInt(balance)),
  }));
}

export interface StatementLine {
  /** Counts the account's lines from 1, without gaps. */
  readonly version: bigint;
  readonly entryId: bigint;
  readonly kind: string;
  readonly sourceKey: string;
  readonly occurredAt: Instant;
  readonly effectiveAt: Instant;
  /** Positive on the account's normal side. */
  readonly delta: LedgerAmount;
  readonly balanceAfter: LedgerAmount;
}

/** The statement of an account that keeps one (`keepHistory` in the chart), newest line first. */
export async function accountStatement(
  tx: Tx,
  ref: AccountRef,
  page: PageRequest<bigint>,
): Promise<Page<StatementLine, bigint>> {
  const found = await tx
    .select({
      version: accountHistory.version,
      entryId: accountHistory.entryId,
      kind: journalEntry.kind,
      sourceKey: journalEntry.sourceKey,
      occurredAt: journalEntry.occurredAt,
      effectiveAt: journalEntry.effectiveAt,
      delta: accountHistory.delta,
      balanceAfter: accountHistory.balanceAfter,
    })
    .from(accountHistory)
    .innerJoin(account, eq(account.id, accountHistory.accountId))
    .innerJoin(journalEntry, eq(journalEntry.id, accountHistory.entryId))
    .where(
      and(
        eq(account.key, accountKey(ref)),
        page.after === undefined ? undefined : lt(accountHistory.version, page.after),
      ),
    )
    .orderBy(desc(accountHistory.version))
    .limit(rowsToRead(page));
  return pageOf(found, page, ({ version }) => version);
}

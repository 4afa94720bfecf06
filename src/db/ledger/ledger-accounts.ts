import { and, type SQL } from "drizzle-orm";
import type { Instant } from "../../domain/calendar/index.ts";
import type { AccountClass, AccountCode, NormalSide } from "../../domain/ledger/index.ts";
import { type Currency, type LedgerSum, ledgerSum } from "../../domain/money/index.ts";
import { rows, sql, type Tx } from "../database.ts";
import { type Page, type PageRequest, pageOf, rowsToRead } from "../page.ts";
import { parseTimestamp } from "../schema/columns.ts";
import { type EntryRange, isByEffect, isUnlimited, turnover, wholeLedger } from "./ledger-turnover.ts";

/** An account with what a range of entries has made of it. */
export interface LedgerAccount {
  readonly id: bigint;
  /** Says all about it, such as `2000/usd/customer=acme/grant=g1`. */
  readonly key: string;
  readonly code: AccountCode;
  /** The name of its code in the chart. */
  readonly name: string;
  readonly class: AccountClass;
  /** The side that increases it. */
  readonly normalSide: NormalSide;
  readonly currency: Currency;
  readonly customerId: string | null;
  /** The least its balance may be; null: no limit. */
  readonly floor: LedgerSum | null;
  /** Whether each of its postings is kept as a numbered line. */
  readonly keepsStatement: boolean;
  readonly openedAt: Instant;
  readonly debit: LedgerSum;
  readonly credit: LedgerSum;
  /** Positive on the normal side. */
  readonly balance: LedgerSum;
  /** What open holds have set aside of the balance; null for a balance in the past. */
  readonly held: LedgerSum | null;
  /** How many postings the balance counts; null as of an effective date, which they are not in the order of. */
  readonly version: bigint | null;
}

export interface AccountFilter {
  readonly code?: AccountCode | undefined;
  readonly currency?: Currency | undefined;
  readonly customerId?: string | undefined;
  readonly key?: string | undefined;
}

/** Accounts with their balances now, in the order in which they were opened; the position is an account's id. */
export async function listAccounts(
  tx: Tx,
  { code, currency, customerId, key }: AccountFilter,
  page: PageRequest<bigint>,
): Promise<Page<LedgerAccount, bigint>> {
  const condition = and(
    sql`true`,
    code === undefined ? undefined : sql`code = ${code}`,
    currency === undefined ? undefined : sql`currency = ${currency}`,
    customerId === undefined ? undefined : sql`customer_id = ${customerId}`,
    key === undefined ? undefined : sql`key = ${key}`,
    page.after === undefined ? undefined : sql`id > ${page.after}`,
  );
  const ids = sql`select id from ledger.account where ${condition} order by id limit ${rowsToRead(page)}`;
  return pageOf(await accountsAmong(tx, ids, wholeLedger), page, ({ id }) => id);
}

/** An account with its balance over a range of entries; undefined when there is no such account. */
export async function findAccount(
  tx: Tx,
  id: bigint,
  range: EntryRange = wholeLedger,
): Promise<LedgerAccount | undefined> {
  const [found] = await accountsAmong(tx, sql`select id from ledger.account where id = ${id}`, range);
  return found;
}

/** All accounts of a customer, also those at zero, in the order of their keys. */
export async function accountsOfCustomer(
  tx: Tx,
  customerId: string,
  range: EntryRange = wholeLedger,
): Promise<LedgerAccount[]> {
  const ids = sql`select id from ledger.account where customer_id = ${customerId}`;
  const found = await accountsAmong(tx, ids, range);
  return found.toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

type Texts = Record<"openedAt" | "debit" | "credit" | "balance", string> &
  Record<"floor" | "held", string | null>;
type AccountRow = Omit<LedgerAccount, keyof Texts> & Texts;

/** @param ids a query for the ids of the accounts that are wanted */
async function accountsAmong(tx: Tx, ids: SQL, range: EntryRange): Promise<LedgerAccount[]> {
  const standings = isUnlimited(range)
    ? sql`select account_id, debit, credit, version, held from ledger.balance where account_id in (${ids})`
    : sql`select account_id, debit, credit, postings, null::numeric from (${turnover(range, ids)}) as moved`;
  const found = await rows<AccountRow>(
    tx,
    sql`select account.id, account.key, account.code, chart.name, account.class, account.currency,
          case account.normal when 1 then 'debit' else 'credit' end as "normalSide",
          account.customer_id as "customerId", account.floor, account.keep_history as "keepsStatement",
          account.opened_at as "openedAt",
          coalesce(standing.debit, 0) as debit, coalesce(standing.credit, 0) as credit,
          account.normal * (coalesce(standing.debit, 0) - coalesce(standing.credit, 0)) as balance,
          standing.held, case when ${isByEffect(range)} then null else coalesce(standing.version, 0) end as version
        from ledger.account as account
        join ledger.chart_account as chart on chart.code = account.code
        left join (${standings}) as standing (account_id, debit, credit, version, held)
          on standing.account_id = account.id
        where account.id in (${ids})
        order by account.id`,
  );
  return found.map(({ openedAt, floor, held, debit, credit, balance, ...rest }) => ({
    ...rest,
    openedAt: parseTimestamp(openedAt),
    floor: floor === null ? null : sumOf(floor),
    held: held === null ? null : sumOf(held),
    debit: sumOf(debit),
    credit: sumOf(credit),
    balance: sumOf(balance),
  }));
}

const sumOf = (text: string) => ledgerSum(BigInt(text));

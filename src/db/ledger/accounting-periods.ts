import type { SQL } from "drizzle-orm";
import type { Instant } from "../../domain/calendar/index.ts";
import { type AccountingMonth, firstDayOf } from "../../domain/ledger/accounting-month.ts";
import { rows, sql, type Tx } from "../database.ts";
import { type Page, type PageRequest, pageOf, rowsToRead } from "../page.ts";
import { parseTimestamp } from "../schema/columns.ts";

export interface AccountingPeriod {
  readonly month: AccountingMonth;
  /** Null while it is open. Closing a month closes every month before it, at the same instant. */
  readonly closing: { readonly at: Instant; readonly by: string } | null;
}

/**
 * The months from the ledger's first to the current one, and any that were closed beyond, the latest first; the position
 * is a month.
 */
export async function listPeriods(
  tx: Tx,
  current: AccountingMonth,
  page: PageRequest<AccountingMonth>,
): Promise<Page<AccountingPeriod, AccountingMonth>> {
  const periods = await periodsBetween(
    tx,
    sql`(select least(${firstDayOf(current)}::date,
      (select min(month) from ledger.accounting_period),
      (select date_trunc('month', effective_at at time zone 'UTC')::date
        from ledger.journal_entry order by id limit 1)))`,
    page.after === undefined
      ? sql`(select greatest(${firstDayOf(current)}::date, (select max(month) from ledger.accounting_period)))`
      : sql`(${firstDayOf(page.after)}::date - 1)`,
    rowsToRead(page),
  );
  return pageOf(periods, page, ({ month }) => month);
}

/** Any month, also one in which nothing happened. */
export async function findPeriod(tx: Tx, month: AccountingMonth): Promise<AccountingPeriod> {
  const day = sql`${firstDayOf(month)}::date`;
  const [found] = await periodsBetween(tx, day, day, 1);
  return found ?? { month, closing: null };
}

async function periodsBetween(tx: Tx, first: SQL, last: SQL, limit: number): Promise<AccountingPeriod[]> {
  const found = await rows<{ month: AccountingMonth; closed_at: string | null; closed_by: string | null }>(
    tx,
    sql`select to_char(period.start, 'YYYY-MM') as month, closing.closed_at, closing.closed_by
        from generate_series(${first}::timestamp, ${last}::timestamp, '1 month') as period (start)
        left join lateral (
          select closed_at, closed_by from ledger.accounting_period
          where month >= period.start order by month limit 1
        ) as closing on true
        order by period.start desc limit ${limit}`,
  );
  return found.map(({ month, closed_at: at, closed_by: by }) => ({
    month,
    closing: at === null || by === null ? null : { at: parseTimestamp(at), by },
  }));
}

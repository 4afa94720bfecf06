import { rows, sql, type Tx } from "../database.ts";

export interface RevenueRow {
  /** A calendar month in UTC. */
  readonly month: string;
  readonly currency: string;
  /** Of the chart of accounts. */
  readonly code: string;
  readonly name: string;
  /** Null where the account is of no product. */
  readonly product: string | null;
  /** 10⁻⁸ of the minor unit; negative where it lowers revenue. */
  readonly amount: string;
}

/**
 * What was earned, month by month of effective dates, straight from the ledger.
 * @param months the first one and the one after the last, as their first days
 */
export async function revenueByMonth(
  tx: Tx,
  months: { readonly from: string; readonly before: string },
): Promise<RevenueRow[]> {
  return await rows<RevenueRow>(
    tx,
    sql`with entry as materialized (
          select id, to_char(effective_at at time zone 'UTC', 'YYYY-MM') as month from ledger.journal_entry
          where effective_at >= ${months.from}::timestamptz and effective_at < ${months.before}::timestamptz
        ), account as materialized (
          select account.id, account.currency, chart.code, chart.name, account.dimensions ->> 'product' as product
          from ledger.account join ledger.chart_account as chart on chart.code = account.code
          where chart.class in ('revenue', 'contra_revenue')
        )
        select month, currency, code, name, product, sum(amount)::text as amount
        from (
          select entry.month, account.*, posting.amount from entry
            join ledger.posting on posting.entry_id = entry.id join account on account.id = posting.credit_account
          union all
          select entry.month, account.*, -posting.amount from entry
            join ledger.posting on posting.entry_id = entry.id join account on account.id = posting.debit_account
        ) as earned (month, account_id, currency, code, name, product, amount)
        group by month, currency, code, name, product having sum(amount) <> 0
        order by month, currency, code, product`,
  );
}

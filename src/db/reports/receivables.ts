import { type Instant, isoOf } from "../../domain/calendar/index.ts";
import { rows, sql, type Tx } from "../database.ts";

/** How long ago it was issued, in days: up to so many. What is older is in the last one. */
export const ageBands = ["0-30", "31-60", "61-90", "over-90"] as const;
export type AgeBand = (typeof ageBands)[number];

export interface ReceivableBand {
  readonly currency: string;
  readonly band: AgeBand;
  readonly invoices: number;
  /** What is left to pay. */
  readonly dueMinor: string;
}

/**
 * What open invoices have left to pay, by age.
 * @param now the time of customers who are on no test clock; of others the age is by their own
 */
export async function receivablesByAge(tx: Tx, now: Instant): Promise<ReceivableBand[]> {
  return await rows<ReceivableBand>(
    tx,
    sql`select currency, band, count(*)::int as invoices, sum(due)::text as "dueMinor"
        from (
          select invoice.currency, total_minor - amount_paid_minor - credited_minor as due,
            case when days <= 30 then '0-30' when days <= 60 then '31-60' when days <= 90 then '61-90' else 'over-90' end as band
          from billing.invoice join billing.customer on customer.id = invoice.customer_id
          left join billing.test_clock on test_clock.id = customer.test_clock_id
          cross join lateral (
            select extract(epoch from coalesce(test_clock.current_at, ${isoOf(now)}::timestamptz) - issued_at) / 86400 as days
          ) as age
          where invoice.status = 'open'
        ) as open group by currency, band order by currency, band`,
  );
}

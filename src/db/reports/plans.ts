import { type Instant, isoOf } from "../../domain/calendar/index.ts";
import { rows, sql, type Tx } from "../database.ts";

export interface PlanMixRow {
  readonly plan: string;
  readonly version: number;
  readonly status: string;
  readonly subscriptions: number;
  readonly seats: number;
}

/** How many subscriptions are on which version of which plan, by the terms in force; those that ended are left out. */
export async function planMix(tx: Tx, now: Instant): Promise<PlanMixRow[]> {
  return await rows<PlanMixRow>(
    tx,
    sql`select item ->> 'planKey' as plan, (item ->> 'planVersion')::int as version, subscription.status,
          count(*)::int as subscriptions, sum((item ->> 'seats')::int)::int as seats
        from billing.subscription join billing.customer on customer.id = subscription.customer_id
        left join billing.test_clock on test_clock.id = customer.test_clock_id
        cross join lateral (select items from billing.subscription_terms
          where subscription_id = subscription.id
            and effective_at <= coalesce(test_clock.current_at, ${isoOf(now)}::timestamptz)
          order by effective_at desc limit 1) as terms
        cross join jsonb_array_elements(terms.items) as item
        where subscription.status not in ('canceled', 'incomplete_expired')
        group by 1, 2, 3 order by 1, 2, 3`,
  );
}

export interface InvoicedRow {
  readonly month: string;
  readonly currency: string;
  readonly plan: string | null;
  readonly product: string;
  readonly kind: string;
  /** Of usage, in the units of its meter. */
  readonly quantity: string | null;
  readonly amountMinor: string;
  readonly customers: number;
}

/** What invoices that are not void say, month by month of their issue, by plan and product. */
export async function invoicedByProduct(
  tx: Tx,
  months: { readonly from: string; readonly before: string },
): Promise<InvoicedRow[]> {
  return await rows<InvoicedRow>(
    tx,
    sql`select to_char(invoice.issued_at at time zone 'UTC', 'YYYY-MM') as month, invoice.currency, line.plan_key as plan,
          line.product, line.kind, sum(line.quantity) filter (where line.kind = 'usage')::text as quantity,
          sum(line.amount_minor)::text as "amountMinor", count(distinct invoice.customer_id)::int as customers
        from billing.invoice join billing.invoice_line as line on line.invoice_id = invoice.id
        where invoice.issued_at >= ${months.from}::timestamptz and invoice.issued_at < ${months.before}::timestamptz
          and invoice.status <> 'void' and line.kind <> 'tax'
        group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5`,
  );
}

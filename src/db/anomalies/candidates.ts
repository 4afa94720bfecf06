import type { SQL } from "drizzle-orm";
import type { AnomalyKind } from "../../domain/anomalies/index.ts";
import { type Instant, isoOf } from "../../domain/calendar/index.ts";
import { rows, sql, type Tx } from "../database.ts";

/** A figure that may be unusual, with those before it. */
export interface Candidate {
  /** Made from what it is about: the same is looked at again and again, and is one case. */
  readonly key: string;
  readonly customerId: string | null;
  readonly subjectType: string;
  readonly subjectId: string;
  /** A whole number: minor units, units of a meter, or hours. */
  readonly figure: string;
  /** The same of earlier times, the latest first. */
  readonly before: readonly string[];
  /** What else the case shows. */
  readonly shown: Readonly<Record<string, string>>;
}

/** So many are judged at once. */
export const candidatesMax = 500;

export interface Look {
  /** What came up before is not looked at; by the wall clock. */
  readonly since: Instant;
  readonly now: Instant;
  /** The key of the last one of the page before. */
  readonly after: string;
}

/** What came up and is no case yet, a page of it in the order of its keys. */
export async function candidatesOf(
  tx: Tx,
  kind: AnomalyKind,
  { since, now, after }: Look,
): Promise<Candidate[]> {
  const query = queries[kind](sql`${isoOf(since)}::timestamptz`, sql`${isoOf(now)}::timestamptz`);
  return await rows<Candidate>(
    tx,
    sql`select key, customer_id as "customerId", subject_type as "subjectType", subject_id as "subjectId", figure::text,
          coalesce(before, '[]') as before, shown
        from (${query}) as candidate (key, customer_id, subject_type, subject_id, figure, before, shown)
        where key > ${after} and not exists (select from billing.anomaly where anomaly.key = candidate.key)
        order by key limit ${candidatesMax}`,
  );
}

/** The customer's invoices before, of closed periods, as a list of what their lines came to. */
const earlierInvoices = sql`(select jsonb_agg(subtotal_minor::text) from (
  select subtotal_minor from billing.invoice as earlier
  where earlier.customer_id = invoice.customer_id and earlier.kind = 'cycle' and earlier.status <> 'void'
    and (earlier.issued_at, earlier.id) < (invoice.issued_at, invoice.id)
  order by earlier.issued_at desc, earlier.id desc limit 12) as latest)`;

const invoiceShown = sql`jsonb_build_object('number', invoice.number, 'currency', invoice.currency)`;

type CandidateQuery = (since: SQL, now: SQL) => SQL;

const queries: Readonly<Record<AnomalyKind, CandidateQuery>> = {
  usage_spike: (since, now) => sql`
    select 'usage_spike/' || customer.id || '/' || meter.key || '/' || to_char(day.start at time zone 'UTC', 'YYYY-MM-DD'),
      customer.id, 'customer', customer.id, round(day.total),
      (select jsonb_agg(round(total)::text) from (
        select sum(sum) as total from usage.window as past
        where past.size = 'day' and past.customer_number = day.customer_number and past.meter = day.meter
          and past.start >= day.start - interval '28 days' and past.start < day.start group by past.start) as days),
      jsonb_build_object('meter', meter.key, 'day', to_char(day.start at time zone 'UTC', 'YYYY-MM-DD'))
    from (select customer_number, meter, start, sum(sum) as total from usage.window
      where size = 'day' and start >= ${since} - interval '2 days' and start < ${now} group by customer_number, meter, start) as day
    join billing.customer on customer.number = day.customer_number
    join catalog.meter on meter.number = day.meter`,
  invoice_unlike_history: (since) => sql`
    select 'invoice_unlike_history/' || invoice.id, invoice.customer_id, 'invoice', invoice.id, invoice.subtotal_minor,
      ${earlierInvoices}, ${invoiceShown}
    from billing.invoice where invoice.issued_at >= ${since} and invoice.kind = 'cycle' and invoice.status <> 'void'`,
  zero_invoice: (since) => sql`
    select 'zero_invoice/' || invoice.id, invoice.customer_id, 'invoice', invoice.id, 0, ${earlierInvoices}, ${invoiceShown}
    from billing.invoice where invoice.issued_at >= ${since} and invoice.kind = 'cycle' and invoice.subtotal_minor = 0
      and invoice.status <> 'void'`,
  negative_line: (since) => sql`
    select 'negative_line/' || invoice.id || '/' || line.line, invoice.customer_id, 'invoice', invoice.id, line.amount_minor,
      null::jsonb, ${invoiceShown} || jsonb_build_object('line', line.line::text, 'description', line.description)
    from billing.invoice join billing.invoice_line as line on line.invoice_id = invoice.id
    where invoice.issued_at >= ${since} and line.amount_minor < 0 and line.kind in ('flat', 'seats', 'usage', 'overage')`,
  unusual_credit: (since) => sql`
    select 'unusual_credit/' || given.id, given.customer_id, 'adjustment', given.id, round(given.change / 100000000),
      (select jsonb_agg(round(change / 100000000)::text) from (
        select change from billing.adjustment as earlier where earlier.change > 0 and earlier.currency = given.currency
          and earlier.requested_at < given.requested_at order by requested_at desc limit 100) as latest),
      jsonb_build_object('currency', given.currency, 'by', given.requested_by, 'reason', given.reason_code)
    from billing.adjustment as given where given.requested_at >= ${since} and given.change > 0`,
  late_usage: (since) => sql`
    select 'late_usage/' || invoice.id || '/' || line.line, invoice.customer_id, 'invoice', invoice.id, line.amount_minor,
      null::jsonb, ${invoiceShown} || jsonb_build_object('line', line.line::text, 'description', line.description)
    from billing.invoice join billing.invoice_line as line on line.invoice_id = invoice.id
    where invoice.issued_at >= ${since} and line.kind = 'late_usage'`,
  stuck_period: (_since, now) => sql`
    select 'stuck_period/' || subscription.id || '/' || to_char(next_close_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
      subscription.customer_id, 'subscription', subscription.id, floor(extract(epoch from ${now} - next_close_at) / 3600),
      null::jsonb, jsonb_build_object('waits_for', coalesce(close_waits_for, 'nothing'), 'workflow', 'subscription/' || subscription.id)
    from billing.subscription join billing.customer on customer.id = subscription.customer_id
    where next_close_at < ${now} - interval '1 hour' and customer.test_clock_id is null`,
  unmatched_stripe: () => sql`
    select 'unmatched_stripe/' || id, null::text, 'balance_transaction', id, amount, null::jsonb,
      jsonb_build_object('currency', currency, 'type', type, 'problem', coalesce(problem, ''))
    from stripe.balance_transaction where state = 'suspense'
    union all
    select 'unmatched_stripe/' || event_id, null::text, 'stripe_event', event_id, attempts, null::jsonb,
      jsonb_build_object('type', type, 'problem', coalesce(last_error, ''))
    from stripe.webhook_inbox where state = 'parked'`,
};

import type { Instant } from "../../domain/calendar/index.ts";
import { rows, sql, type Tx } from "../database.ts";
import { archivedBefore } from "./archived-months.ts";
import { customerNumber } from "./customer-number.ts";
import { eventCounts } from "./usage-reads.ts";

/** Where a customer's usage events went. */
export interface UsageAccounting {
  readonly accepted: number;
  /** Contradictions of events that count; they are kept and do not count. */
  readonly conflicting: number;
  readonly quarantined: number;
  /** Seen by exactly one closed period's rating. */
  readonly invoiced: number;
  /** In no closed period yet. */
  readonly notInvoiced: number;
  /** Always zero, or somebody has paid twice. */
  readonly invoicedMoreThanOnce: number;
  /** How many invoices the events are in. */
  readonly invoices: number;
  /** Accepted events before this instant are archived and not counted here; null when none are. */
  readonly archivedBefore: Instant | null;
}

interface CountedRow {
  readonly invoiced: number;
  readonly not_invoiced: number;
  readonly more_than_once: number;
}

/**
 * Follows every accepted event to the period that rated it, by the snapshot that each rating kept: an event is in the
 * first run that saw it, and in no other.
 */
export async function usageAccounting(tx: Tx, customerId: string): Promise<UsageAccounting> {
  const counts = await eventCounts(tx, customerId);
  const [counted] = await rows<CountedRow>(
    tx,
    sql`select
        count(*) filter (where periods = 1)::int as invoiced,
        count(*) filter (where periods = 0)::int as not_invoiced,
        count(*) filter (where periods > 1)::int as more_than_once
      from (
        select (
          select count(distinct (run.subscription_id, run.period_start))
          from billing.rating_run run join billing.subscription sub on sub.id = run.subscription_id
          where sub.customer_id = ${customerId}
            and event.time >= run.period_start and event.time < run.period_end
            and pg_visible_in_snapshot(event.recorded_xid, run.snapshot)
        ) as periods
        from usage.event event
        where event.customer_number = ${customerNumber(customerId)}
      ) events`,
  );
  const [invoices] = await rows<{ invoices: number }>(
    tx,
    sql`select count(distinct run.invoice_id)::int as invoices
        from billing.rating_run run join billing.subscription sub on sub.id = run.subscription_id
        where sub.customer_id = ${customerId} and run.event_count > 0`,
  );
  return {
    ...counts,
    invoiced: counted?.invoiced ?? 0,
    notInvoiced: counted?.not_invoiced ?? 0,
    invoicedMoreThanOnce: counted?.more_than_once ?? 0,
    invoices: invoices?.invoices ?? 0,
    archivedBefore: await archivedBefore(tx),
  };
}

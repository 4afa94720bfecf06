import { and, asc, count, desc, eq, isNotNull } from "drizzle-orm";
import { type Instant, isoOf } from "../../domain/calendar/index.ts";
import { rows, sql, type Tx } from "../database.ts";
import { customer, invoice, subscription, testClock } from "../schema/billing.ts";
import type { StoredSubscription } from "./subscriptions.ts";
import type { ClockNow } from "./threshold-subscriptions.ts";

/**
 * Looks at what usage has come since the look before, late commits too. A subscription that has ended and is billed to its end is
 * to be closed once more where some of it is of its periods: when its grace is over, counted from now, so that what comes together is
 * on one invoice. Of several who look at once, one does.
 * @param now the wall's time; who is on a test clock has the clock's
 * @returns how many subscriptions there were
 */
export async function noticeLateUsage(tx: Tx, now: Instant): Promise<number> {
  // One statement has one snapshot: what it does not see, the next look does.
  const [found] = await rows<{ noticed: number }>(
    tx,
    sql`with watch as materialized (
        select seen, pg_snapshot_xmin(seen) as since from billing.late_usage_watch for update skip locked
      ), used as (
        select event.customer_number from watch join usage.event on recorded_xid >= since
        where not pg_visible_in_snapshot(recorded_xid, seen)
        union
        select later.customer_number from watch join usage.later_contribution as later on recorded_xid >= since
        where not pg_visible_in_snapshot(recorded_xid, seen)
      ), noticed as (
        update billing.subscription set next_close_at = late.at + make_interval(secs => grace_seconds)
        from (
          select ended.id, coalesce(clock.current_at, ${isoOf(now)}::timestamptz) as at
          from used join billing.customer on customer.number = used.customer_number
          join billing.subscription as ended on ended.customer_id = customer.id
          left join billing.test_clock as clock on clock.id = customer.test_clock_id
          where ended.status = 'canceled' and ended.next_close_at is null
            and billing.has_late_usage(ended.id, customer.number)
        ) as late
        where subscription.id = late.id and subscription.next_close_at is null
        returning subscription.id
      ), looked as (
        update billing.late_usage_watch set seen = pg_current_snapshot(), looked_at = clock_timestamp()
        where exists (select from watch)
      )
      select count(*)::int as noticed from noticed`,
  );
  return found?.noticed ?? 0;
}

/** A subscription that has ended, with usage to be billed that came afterwards. */
export interface EndedAndDue {
  readonly row: StoredSubscription;
  readonly clock: ClockNow | null;
}

/** Those that are to be closed once more, by their ids. */
export async function endedAndDue(tx: Tx): Promise<EndedAndDue[]> {
  const found = await tx
    .select({ row: subscription, clock: { id: testClock.id, currentAt: testClock.currentAt } })
    .from(subscription)
    .innerJoin(customer, eq(customer.id, subscription.customerId))
    .leftJoin(testClock, eq(testClock.id, customer.testClockId))
    .where(and(eq(subscription.status, "canceled"), isNotNull(subscription.nextCloseAt)))
    .orderBy(asc(subscription.id));
  return found.filter(({ row }) => row.cancelAt !== null && row.billedThrough >= row.cancelAt);
}

/** How often late usage of a subscription was invoiced after its end: it numbers the next time. */
export async function lateInvoiceCount(tx: Tx, subscriptionId: string): Promise<number> {
  const [found] = await tx.select({ invoices: count() }).from(invoice).where(isLateOf(subscriptionId));
  return found?.invoices ?? 0;
}

/** The last of those invoices, or of those that stand; null where there is none. */
export async function lastLateInvoice(tx: Tx, subscriptionId: string): Promise<string | null> {
  const [last] = await tx
    .select({ id: invoice.id })
    .from(invoice)
    .where(isLateOf(subscriptionId))
    .orderBy(desc(invoice.issuedAt), desc(invoice.number))
    .limit(1);
  return last?.id ?? null;
}

const isLateOf = (subscriptionId: string) =>
  and(eq(invoice.kind, "late_usage"), eq(invoice.subscriptionId, subscriptionId));

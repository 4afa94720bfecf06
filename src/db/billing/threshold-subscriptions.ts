import { and, asc, eq, inArray, isNotNull, isNull, type SQL, sql } from "drizzle-orm";
import type { Instant } from "../../domain/calendar/index.ts";
import { invariant } from "../../domain/errors.ts";
import { rows, type Tx } from "../database.ts";
import { customer, invoice, subscription, testClock } from "../schema/billing.ts";
import type { Snapshot } from "../usage/usage-reads.ts";
import type { StoredInvoice } from "./invoices.ts";
import type { StoredSubscription } from "./subscriptions.ts";

/** The test clock that a customer is on; null for who has the wall's time. */
export interface ClockNow {
  readonly id: string;
  readonly currentAt: Instant;
}

export interface ThresholdSubscription {
  readonly row: StoredSubscription;
  readonly clock: ClockNow | null;
}

/** Which subscriptions a pass has to look at, and what the next pass may begin from. */
export interface ChangedSubscriptions {
  readonly ids: readonly string[];
  /** Everything that is visible in it was there when they were found. */
  readonly snapshot: Snapshot;
}

/**
 * The subscriptions with a period to close and thresholds in their terms for which something has changed that a look with the
 * snapshot `seen` did not see: usage of the customer, late commits too; what was agreed; a period that was closed. Those with a
 * price for what is held over time change by themselves, and are always among them.
 * @param seen null: all of them
 */
export async function changedSubscriptions(tx: Tx, seen: Snapshot | null): Promise<ChangedSubscriptions> {
  const isAmong = seen === null ? sql`` : sql`and subscription.id in (${changedSince(seen)})`;
  // One statement has one snapshot: what it does not see, the next pass does.
  const [found] = await rows<{ ids: string[]; snapshot: Snapshot }>(
    tx,
    sql`select pg_current_snapshot()::text as snapshot, coalesce((
          select json_agg(subscription.id order by subscription.id) from billing.subscription
          where next_close_at is not null ${isAmong} and exists (
            select from billing.subscription_terms as terms
            cross join jsonb_to_recordset(terms.items) as item ("planKey" text, "planVersion" int)
            join catalog.plan as plan on plan.key = item."planKey" and plan.version = item."planVersion"
            where terms.subscription_id = subscription.id and plan.definition ? 'thresholds')
        ), '[]') as ids`,
  );
  invariant(found, "a snapshot is always there");
  return found;
}

function changedSince(seen: Snapshot): SQL {
  const isUnseen = sql`recorded_xid >= pg_snapshot_xmin(${seen}::pg_snapshot)
    and not pg_visible_in_snapshot(recorded_xid, ${seen}::pg_snapshot)`;
  return sql`
    select of_customer.id from (
      select customer_number from usage.event where ${isUnseen}
      union select customer_number from usage.later_contribution where ${isUnseen}
    ) as used
    join billing.customer on customer.number = used.customer_number
    join billing.subscription as of_customer on of_customer.customer_id = customer.id
    union select subscription_id from billing.subscription_terms where ${isUnseen}
    union select subscription_id from billing.rating_run where ${isUnseen}
    union select terms.subscription_id from billing.subscription_terms as terms
    cross join jsonb_to_recordset(terms.items) as item ("planKey" text, "planVersion" int)
    where exists (${plansWithLevels}) and (item."planKey", item."planVersion") in (${plansWithLevels})`;
}

const plansWithLevels = sql`
  select plan.key, plan.version from catalog.plan cross join jsonb_array_elements(plan.definition -> 'prices') as price
  join catalog.meter on meter.key = price ->> 'meter'
  where plan.definition ? 'thresholds' and meter.definition ->> 'aggregation' = 'time_weighted_sum'`;

/** Of these the ones that still have a period to close, by their ids. */
export async function thresholdSubscriptions(
  tx: Tx,
  ids: readonly string[],
): Promise<ThresholdSubscription[]> {
  if (ids.length === 0) return [];
  return await tx
    .select({ row: subscription, clock: { id: testClock.id, currentAt: testClock.currentAt } })
    .from(subscription)
    .innerJoin(customer, eq(customer.id, subscription.customerId))
    .leftJoin(testClock, eq(testClock.id, customer.testClockId))
    .where(and(isNotNull(subscription.nextCloseAt), inArray(subscription.id, [...ids])))
    .orderBy(asc(subscription.id));
}

export interface InvoiceToCollect {
  readonly invoice: StoredInvoice;
  readonly clock: ClockNow | null;
}

/** Open invoices of thresholds, with their customers' clocks, that nobody collects yet. */
export async function uncollectedThresholds(tx: Tx, limit: number): Promise<InvoiceToCollect[]> {
  return await tx
    .select({ invoice, clock: { id: testClock.id, currentAt: testClock.currentAt } })
    .from(invoice)
    .innerJoin(customer, eq(customer.id, invoice.customerId))
    .leftJoin(testClock, eq(testClock.id, customer.testClockId))
    .where(and(eq(invoice.kind, "threshold"), eq(invoice.status, "open"), isNull(invoice.collectedBy)))
    .orderBy(asc(invoice.issuedAt), asc(invoice.id))
    .limit(limit);
}

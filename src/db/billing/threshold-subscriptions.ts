import { and, asc, eq, gt, isNotNull, isNull, sql } from "drizzle-orm";
import type { Instant } from "../../domain/calendar/index.ts";
import type { Tx } from "../database.ts";
import { customer, invoice, subscription, testClock } from "../schema/billing.ts";
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

/**
 * Subscriptions that have a period to close and a plan with thresholds in their terms, by their ids.
 * @param after the id of the last one of the page before; empty for the first page
 */
export async function thresholdSubscriptions(
  tx: Tx,
  after: string,
  limit: number,
): Promise<ThresholdSubscription[]> {
  const hasThresholds = sql`exists (
    select from billing.subscription_terms as terms
    cross join jsonb_to_recordset(terms.items) as item ("planKey" text, "planVersion" int)
    join catalog.plan as plan on plan.key = item."planKey" and plan.version = item."planVersion"
    where terms.subscription_id = ${subscription.id} and plan.definition ? 'thresholds')`;
  return await tx
    .select({ row: subscription, clock: { id: testClock.id, currentAt: testClock.currentAt } })
    .from(subscription)
    .innerJoin(customer, eq(customer.id, subscription.customerId))
    .leftJoin(testClock, eq(testClock.id, customer.testClockId))
    .where(and(isNotNull(subscription.nextCloseAt), gt(subscription.id, after), hasThresholds))
    .orderBy(asc(subscription.id))
    .limit(limit);
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

import { and, eq } from "drizzle-orm";
import type { Instant } from "../../domain/calendar/index.ts";
import type { InvoiceLine } from "../../domain/invoicing/index.ts";
import { sql, type Tx } from "../database.ts";
import {
  customer,
  invoice,
  type SubscriptionItem,
  subscription,
  subscriptionChange,
  testClock,
} from "../schema/billing.ts";
import { timestamp } from "../timestamp.ts";
import { lineFromJson } from "./line-json.ts";
import type { StoredSubscription } from "./subscriptions.ts";

/** A subscription with all that is said of it. */
export interface ShownSubscription {
  readonly row: StoredSubscription;
  /** By the customer's clock. */
  readonly now: Instant;
  readonly items: readonly SubscriptionItem[];
  /** Whether dunning is, or was, at work on an invoice that it is on and that is not paid. */
  readonly isDunned: boolean;
  /** What the change that was asked about came to; null where none was, or it is still ahead. */
  readonly change: ShownChange | null;
}

export interface ShownChange {
  readonly lines: readonly InvoiceLine[];
  /** On which its lines are; null as long as they wait for one, or where there are none. */
  readonly invoice: { readonly id: string; readonly totalMinor: bigint; readonly isOwn: boolean } | null;
}

const isDunned = sql<boolean>`exists (
  select from billing.invoice_part part
  join billing.invoice unpaid on unpaid.id = part.invoice_id and unpaid.status in ('open', 'uncollectible')
  join billing.dunning on dunning.invoice_id = unpaid.id
  where part.subscription_id = ${subscription.id})`;

/**
 * Reads it in one statement.
 * @param wallNow what time it is for a customer without a clock
 * @param changeId of a change to be shown with it
 */
export async function shownSubscription(
  tx: Tx,
  id: string,
  { wallNow, changeId = "" }: { readonly wallNow: Instant; readonly changeId?: string | undefined },
): Promise<ShownSubscription | undefined> {
  const now = sql`coalesce(${testClock.currentAt}, ${timestamp(wallNow)})`;
  const items = sql<readonly SubscriptionItem[] | null>`(
    select items from billing.subscription_terms
    where subscription_id = ${subscription.id} and effective_at <= ${now} order by effective_at desc limit 1)`;
  const { kind, totalMinor } = invoice;
  const [found] = await tx
    .select({
      row: subscription,
      clockNow: testClock.currentAt,
      ...{ items, isDunned },
      change: { lines: subscriptionChange.lines },
      invoice: { id: invoice.id, kind, totalMinor },
    })
    .from(subscription)
    .innerJoin(customer, eq(customer.id, subscription.customerId))
    .leftJoin(testClock, eq(testClock.id, customer.testClockId))
    .leftJoin(
      subscriptionChange,
      and(eq(subscriptionChange.subscriptionId, subscription.id), eq(subscriptionChange.changeId, changeId)),
    )
    .leftJoin(invoice, eq(invoice.id, subscriptionChange.invoiceId))
    .where(eq(subscription.id, id));
  if (found === undefined) return undefined;
  const { row, clockNow, change, invoice: billedOn } = found;
  const on = billedOn && { ...billedOn, isOwn: billedOn.kind === "proration" };
  return {
    ...{ row, now: clockNow ?? wallNow, items: found.items ?? [], isDunned: found.isDunned },
    change: change && { lines: (change.lines as unknown[]).map(lineFromJson), invoice: on },
  };
}

/** What time it is for the customer of a subscription; undefined when there is none. @param wallNow without a clock */
export async function timeOfSubscription(tx: Tx, id: string, wallNow: Instant): Promise<Instant | undefined> {
  const [found] = await tx
    .select({ id: subscription.id, clockNow: testClock.currentAt })
    .from(subscription)
    .innerJoin(customer, eq(customer.id, subscription.customerId))
    .leftJoin(testClock, eq(testClock.id, customer.testClockId))
    .where(eq(subscription.id, id));
  return found && (found.clockNow ?? wallNow);
}

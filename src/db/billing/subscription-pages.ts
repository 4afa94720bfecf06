import { asc, count, eq, gt } from "drizzle-orm";
import type { Instant } from "../../domain/calendar/index.ts";
import type { Tx } from "../database.ts";
import { customer, subscription, testClock } from "../schema/billing.ts";
import type { StoredSubscription } from "./subscriptions.ts";

/** A subscription, and the time of the test clock that its customer lives on; null for the wall's. */
export interface ClockedSubscription {
  readonly row: StoredSubscription;
  readonly clockTime: Instant | null;
}

export async function subscriptionCount(tx: Tx): Promise<number> {
  const [found] = await tx.select({ subscriptions: count() }).from(subscription);
  return found?.subscriptions ?? 0;
}

/** The next subscriptions in the order of their ids, all of them if need be. */
export async function subscriptionPage(tx: Tx, after: string, limit: number): Promise<ClockedSubscription[]> {
  return await tx
    .select({ row: subscription, clockTime: testClock.currentAt })
    .from(subscription)
    .innerJoin(customer, eq(customer.id, subscription.customerId))
    .leftJoin(testClock, eq(testClock.id, customer.testClockId))
    .where(gt(subscription.id, after))
    .orderBy(asc(subscription.id))
    .limit(limit);
}

import { and, asc, eq, isNull, lte } from "drizzle-orm";
import type { Instant } from "../../domain/calendar/index.ts";
import type { Tx } from "../database.ts";
import { customer, subscription } from "../schema/billing.ts";
import type { StoredSubscription } from "./subscriptions.ts";

/** Subscriptions with a period that could have been closed by `dueBefore`, longest due first; none on test clocks. */
export async function dueSubscriptions(
  tx: Tx,
  dueBefore: Instant,
  limit: number,
): Promise<StoredSubscription[]> {
  const found = await tx
    .select({ due: subscription })
    .from(subscription)
    .innerJoin(customer, eq(customer.id, subscription.customerId))
    .where(and(lte(subscription.nextCloseAt, dueBefore), isNull(customer.testClockId)))
    .orderBy(asc(subscription.nextCloseAt), asc(subscription.id))
    .limit(limit);
  return found.map(({ due }) => due);
}

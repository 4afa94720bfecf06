import { and, desc, eq, lte } from "drizzle-orm";
import type { Instant } from "../../domain/calendar/index.ts";
import type { Tx } from "../database.ts";
import { type NewestFirst, olderThan, type Page, type PageRequest, pageOf, rowsToRead } from "../page.ts";
import {
  type SubscriptionItem,
  type SubscriptionStatus,
  subscription,
  subscriptionTerms,
} from "../schema/billing.ts";
import type { StoredSubscription } from "./subscriptions.ts";

export interface SubscriptionFilter {
  readonly customerId: string | undefined;
  readonly status: SubscriptionStatus | undefined;
}

export async function listSubscriptions(
  tx: Tx,
  { customerId, status }: SubscriptionFilter,
  page: PageRequest<NewestFirst>,
): Promise<Page<StoredSubscription, NewestFirst>> {
  const found = await tx
    .select()
    .from(subscription)
    .where(
      and(
        customerId === undefined ? undefined : eq(subscription.customerId, customerId),
        status === undefined ? undefined : eq(subscription.status, status),
        olderThan(subscription.startedAt, subscription.id, page.after),
      ),
    )
    .orderBy(desc(subscription.startedAt), desc(subscription.id))
    .limit(rowsToRead(page));
  return pageOf(found, page, ({ startedAt, id }) => ({ at: startedAt, id }));
}

/** What is agreed at an instant. */
export async function itemsInForce(
  tx: Tx,
  subscriptionId: string,
  at: Instant,
): Promise<readonly SubscriptionItem[]> {
  const [terms] = await tx
    .select({ items: subscriptionTerms.items })
    .from(subscriptionTerms)
    .where(and(eq(subscriptionTerms.subscriptionId, subscriptionId), lte(subscriptionTerms.effectiveAt, at)))
    .orderBy(desc(subscriptionTerms.effectiveAt))
    .limit(1);
  return terms?.items ?? [];
}

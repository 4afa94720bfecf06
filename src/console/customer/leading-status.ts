import type { Subscription } from "../reads/resources.ts";

/** What needs attention comes first, what is over comes last. */
export const subscriptionStatuses = ["past_due", "paused", "active", "canceled"] as const;

/** One state for a customer with any number of subscriptions; null without any. */
export function leadingStatus(
  subscriptions: readonly Pick<Subscription, "status">[],
): Subscription["status"] | null {
  return (
    subscriptionStatuses.find((status) =>
      subscriptions.some((subscription) => subscription.status === status),
    ) ?? null
  );
}

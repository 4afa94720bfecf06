import type { Subscription } from "../reads/resources.ts";

/** What needs attention comes first, what is over comes last. */
export const subscriptionStatuses = [
  "past_due",
  "incomplete",
  "paused",
  "trialing",
  "active",
  "canceled",
  "incomplete_expired",
] as const;

/** Whether a subscription has ended, or never began. */
export const isOver = ({ status }: Pick<Subscription, "status">): boolean =>
  status === "canceled" || status === "incomplete_expired";

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

import type { Instant } from "../../domain/calendar/index.ts";
import { type ForeseenSubscription, nextDueOf } from "./foreseen-subscription.ts";

/** What comes next of a customer's subscriptions. */
export interface ForeseenEvent {
  readonly subscription: ForeseenSubscription;
  readonly at: Instant;
  /** due: something that was agreed for later; close: its period is closed. */
  readonly kind: "due" | "close";
}

/** Of one instant, what is agreed comes before closings, and subscriptions in the order of their ids. */
export function nextEvent(
  subscriptions: readonly ForeseenSubscription[],
  now: Instant,
): ForeseenEvent | null {
  const events = subscriptions.flatMap((subscription): ForeseenEvent[] => {
    const { nextCloseAt } = subscription.row;
    if (nextCloseAt === null) return [];
    const closesAt = now > nextCloseAt ? now : nextCloseAt;
    const dueAt = nextDueOf(subscription);
    const isDue = dueAt !== null && dueAt <= closesAt;
    return [{ subscription, ...(isDue ? { at: dueAt, kind: "due" } : { at: closesAt, kind: "close" }) }];
  });
  return events.toSorted(inOrder)[0] ?? null;
}

function inOrder(one: ForeseenEvent, other: ForeseenEvent): number {
  if (one.at !== other.at) return one.at - other.at;
  if (one.kind !== other.kind) return one.kind === "due" ? -1 : 1;
  return one.subscription.row.id < other.subscription.row.id ? -1 : 1;
}

import { type Instant, instant, isoOf } from "../../domain/calendar/index.ts";
import type { AddedUpInvoice, UnusedTimeNote } from "../../domain/invoicing/index.ts";
import {
  admitCommand,
  type ChangeTime,
  changeInstant,
  type SubscriptionStanding,
} from "../../domain/lifecycle/index.ts";
import type { Tx } from "../database.ts";
import { agreedEnd } from "./agreed-rows.ts";
import { afterChange, afterEnd, type ForeseenStep, inOrder } from "./foreseen-steps.ts";
import type { ForeseenSubscription } from "./foreseen-subscription.ts";
import type { AskedChange } from "./requested-change.ts";
import type { ScheduledChange } from "./scheduled-changes.ts";
import { anchoredPeriodAt, type StoredSubscription } from "./subscriptions.ts";

/** A change that somebody thinks of, and when it would be made. */
export interface ThoughtOfChange {
  readonly change: AskedChange;
  readonly when: ChangeTime;
}

/** An invoice that a change will have of its own, and the notes by which an end gives money back. */
export interface ForeseenOfChange {
  readonly at: Instant;
  readonly invoice: AddedUpInvoice | null;
  readonly notes: readonly UnusedTimeNote[];
}

/** What decides whether the subscription takes a command at an instant: its run has the same by heart. */
export function commandStandingOf(row: StoredSubscription, at: Instant): SubscriptionStanding {
  const { period } = anchoredPeriodAt(row, at);
  return {
    status: row.status,
    cancelAt: row.cancelAt === null ? null : isoOf(row.cancelAt),
    periodStart: isoOf(period.start),
    periodEnd: isoOf(period.end),
  };
}

/**
 * The subscription as if a change were asked for: made now, or agreed for later, as its run would have it.
 * @throws SubscriptionRefusal, SubscriptionRuleError as the change itself would
 */
export async function afterAsked(
  tx: Tx,
  subscription: ForeseenSubscription,
  { change, when }: ThoughtOfChange,
  now: Instant,
): Promise<ForeseenStep> {
  const { row } = subscription;
  const standing = commandStandingOf(row, now);
  const command = { kind: change.kind, at: isoOf(now), when };
  admitCommand(standing, command);
  const effectiveAt = instant(changeInstant(standing, command));
  const changeId = `thought_of_${subscription.ahead.length + subscription.terms.length}`;
  const asked: ScheduledChange = {
    ...{ subscriptionId: row.id, changeId, kind: change.kind, effectiveAt, request: change },
    ...{ cause: "requested", requestedAt: now },
  };
  if (when === "now") {
    return change.kind === "cancel"
      ? await afterEnd(tx, { ...subscription, cancellation: asked }, now)
      : await afterChange(tx, subscription, now, asked);
  }
  const ahead =
    change.kind === "cancel"
      ? { row: { ...row, ...agreedEnd(row, effectiveAt) }, cancellation: asked }
      : { ahead: inOrder([...subscription.ahead, asked]) };
  return { subscription: { ...subscription, ...ahead }, invoices: [], notes: [] };
}

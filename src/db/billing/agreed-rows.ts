import { type AgreedAnchor, type Instant, instantOfEpochMs } from "../../domain/calendar/index.ts";
import type { SubscriptionStatus } from "../../domain/lifecycle/index.ts";
import type { AgreedPeriod } from "./agreed-period.ts";
import type { MovedOn } from "./issued-rows.ts";
import { anchoredPeriodAt, anchorToStore, type StoredSubscription } from "./subscriptions.ts";

/** What becomes of a subscription's row when something is agreed, or a period is closed: decided here, written elsewhere. */

/** The status that a change makes, where it makes one. */
export function statusAfter({ kind }: { readonly kind: string }): { status?: SubscriptionStatus } {
  if (kind === "pause") return { status: "paused" };
  return kind === "resume" || kind === "end_trial" ? { status: "active" } : {};
}

/** Another anchor ends the period in course, which can then be closed after its grace. */
export function reanchored(
  row: StoredSubscription,
  anchor: AgreedAnchor,
): Partial<Pick<StoredSubscription, "anchors" | "nextCloseAt">> {
  const anchors = [...row.anchors, anchorToStore(anchor)];
  const { start } = anchoredPeriodAt(row, anchor.effectiveAt).period;
  if (row.billedThrough < start) return { anchors };
  const cut = { start, end: anchor.effectiveAt };
  const { end } = cut.start < cut.end ? cut : anchoredPeriodAt({ ...row, anchors }, start).period;
  return { anchors, nextCloseAt: graceAfter(row, end) };
}

/** The subscription has ended: what is left of it to be closed ends there too. */
export function endedAt(
  row: StoredSubscription,
  at: Instant,
): Pick<StoredSubscription, "status" | "cancelAt" | "canceledAt"> &
  Partial<Pick<StoredSubscription, "nextCloseAt">> {
  const { period } = anchoredPeriodAt(row, at);
  const nextCloseAt = at > period.start ? graceAfter(row, at) : null;
  const ended = { status: "canceled", cancelAt: at, canceledAt: at } as const;
  return row.billedThrough < period.start ? ended : { ...ended, nextCloseAt };
}

/** An end is agreed, or taken back: inside the period in course, that can be closed when it ends; else where the calendar has it. */
export function agreedEnd(
  row: StoredSubscription,
  end: Instant | null,
): Pick<StoredSubscription, "cancelAt" | "nextCloseAt"> {
  const { period } = anchoredPeriodAt(row, row.billedThrough);
  const closesAt = end !== null && end < period.end ? end : period.end;
  return { cancelAt: end, nextCloseAt: graceAfter(row, closesAt) };
}

/** How far a subscription is billed when a period of it has been closed. */
export function movedOn(
  row: StoredSubscription,
  { period, followingEnd }: Pick<AgreedPeriod, "period" | "followingEnd">,
): MovedOn {
  // An end that was agreed meanwhile may lie inside the next period.
  const end =
    followingEnd === null || row.cancelAt === null || row.cancelAt > followingEnd
      ? followingEnd
      : row.cancelAt;
  return {
    subscriptionId: row.id,
    billedThrough: period.end,
    nextCloseAt: end === null ? null : graceAfter(row, end),
  };
}

/** Whether a subscription has ended and is billed to its end: only what comes late is still closed. */
export const isBilledToItsEnd = ({
  status,
  cancelAt,
  billedThrough,
}: Pick<StoredSubscription, "status" | "cancelAt" | "billedThrough">): boolean =>
  status === "canceled" && cancelAt !== null && billedThrough >= cancelAt;

/** When a period that ends at an instant may be closed. */
export function graceAfter({ graceSeconds }: Pick<StoredSubscription, "graceSeconds">, at: Instant): Instant {
  return instantOfEpochMs(at + graceSeconds * 1_000);
}

/** When a subscription's next period, which ends at an instant, may be closed; after its end, when what came late is due. */
export const closableAt = (row: StoredSubscription, end: Instant): Instant =>
  isBilledToItsEnd(row) && row.nextCloseAt !== null ? row.nextCloseAt : graceAfter(row, end);

import { periodOf } from "../db/billing/agreed-period.ts";
import { type DuePlace, type DueSubscription, dueSubscriptions } from "../db/billing/due-subscriptions.ts";
import { findSubscription } from "../db/billing/subscriptions.ts";
import { isConnectionLost } from "../db/lost-connection.ts";
import { sqlState } from "../db/sql-state.ts";
import { type Instant, instant, instantOfEpochMs, isoOf } from "../domain/calendar/index.ts";
import { invariant } from "../domain/errors.ts";
import type { WithRoom } from "./at-most.ts";
import { closePeriodOnce } from "./close-period.ts";
import type { ActivityDependencies } from "./dependencies.ts";
import type { WaitingForUsage } from "./wait-for-usage.ts";

export interface PageInput {
  /** Which customers, of how many shares that have none in common: pages of two lanes may be closed at once. */
  readonly lane: number;
  readonly lanes: number;
  /** Where the page before ended; null for the first one of a lane. */
  readonly after: PlaceInLane | null;
  readonly limit: number;
}

/** Which subscription, and when its period could have been closed, as an ISO time. */
export interface PlaceInLane {
  readonly dueAt: string;
  readonly subscriptionId: string;
}

/** What became of the periods of a page. */
export interface PageCounts {
  readonly closed: number;
  /** Periods that could not be closed here and have a `billingCycle` of their own now. */
  readonly handedOver: number;
}

export interface ClosedPage extends PageCounts {
  /** Where the next page begins; null when there is none. */
  readonly next: PlaceInLane | null;
}

export interface PageOptions extends WaitingForUsage {
  readonly now: Instant;
  /** How long a due period is left to its own subscription's run. */
  readonly patienceMs: number;
  /** Over how many seconds the instants of closing are spread. */
  readonly windowSeconds: number;
  /** Shared by all pages of this process: no more are closed at once than the database has connections for. */
  readonly withRoom: WithRoom;
  /** What an attempt that was cut off had done. */
  readonly before: PageCounts | undefined;
  readonly progress: (counts: PageCounts) => void;
  /** Whether this process is about to end: what is not begun is then left to the next attempt. */
  readonly isStopping: () => boolean;
  /** Is told of each period that failed; its own run shows the same to operators. */
  readonly onFailure: (subscriptionId: string, error: unknown) => void;
}

/**
 * Closes a page of periods that are due, each in its own transaction, several at a time. Customers on test clocks are
 * left to their clocks. A period that fails, or whose usage is not complete, gets a run of its own, where it is seen.
 * What was closed is not due any more, so an attempt that was cut off is taken up by reading the page again. A database
 * or a Temporal server that is away fails the attempt, not the periods.
 */
export async function closeDuePage(
  deps: ActivityDependencies,
  input: PageInput,
  options: PageOptions,
): Promise<ClosedPage> {
  const { lane, lanes, limit } = input;
  const due = await dueSubscriptions(deps.db.orm, {
    by: instantOfEpochMs(options.now - options.patienceMs),
    windowSeconds: options.windowSeconds,
    lane,
    lanes,
    after: input.after === null ? null : placeOf(input.after),
    limit,
  });
  const counts = { closed: 0, handedOver: 0, ...options.before };
  let isCutShort = false;
  const close = (row: DueSubscription) =>
    options.withRoom(async () => {
      isCutShort ||= options.isStopping();
      if (isCutShort) return;
      const outcome = await closeOne(deps, row, options).catch((error: unknown) => {
        // Nothing that is begun now would end otherwise.
        isCutShort = true;
        throw error;
      });
      counts[outcome] += 1;
      options.progress({ ...counts });
    });
  // All of them end before this does: an attempt that failed leaves nothing behind that goes on.
  const ended = await Promise.allSettled(due.map(close));
  for (const each of ended) if (each.status === "rejected") throw each.reason;
  if (isCutShort) return { ...counts, next: input.after ?? beginning };
  const last = due.length === limit ? due.at(-1) : undefined;
  const next = last && { dueAt: isoOf(last.dueAt), subscriptionId: last.subscriptionId };
  return { ...counts, next: next ?? null };
}

/** Before every place of a lane. */
const beginning: PlaceInLane = { dueAt: "1970-01-01T00:00:00Z", subscriptionId: "" };

const placeOf = ({ dueAt, subscriptionId }: PlaceInLane): DuePlace => ({
  dueAt: instant(dueAt),
  subscriptionId,
});

async function closeOne(
  deps: ActivityDependencies,
  due: DueSubscription,
  { now, usageWaitMsMax, onFailure }: PageOptions,
): Promise<keyof PageCounts> {
  const { subscriptionId } = due;
  const input = { subscriptionId, periodStart: isoOf(due.billedThrough), at: isoOf(now) };
  const outcome = await closePeriodOnce(deps.db, input, { usageWaitMsMax }).then(
    (closed) => closed.outcome,
    (error: unknown) => {
      if (isDatabaseAway(error)) throw error;
      onFailure(subscriptionId, error);
      return "failed" as const;
    },
  );
  if (outcome === "closed" || outcome === "closed_before") return "closed";
  await handOver(deps, due);
  return "handedOver";
}

/** Its connection is lost, or it is out of connections, memory or disk (class 53): not the fault of one period. */
const isDatabaseAway = (error: unknown) => isConnectionLost(error) || /^53/.test(sqlState(error) ?? "");

async function handOver({ gateway, db }: ActivityDependencies, due: DueSubscription): Promise<void> {
  const { subscriptionId, customerId } = due;
  const row = await findSubscription(db.orm, subscriptionId);
  invariant(row, "what is due is there");
  const { period } = periodOf(row, due.billedThrough);
  await gateway.startBillingCycle({
    subscriptionId,
    customerId,
    periodStart: isoOf(period.start),
    periodEnd: isoOf(period.end),
    graceSeconds: row.graceSeconds,
    clock: null,
  });
}

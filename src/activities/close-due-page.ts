import { periodOf } from "../db/billing/agreed-period.ts";
import { isBilledToItsEnd } from "../db/billing/agreed-rows.ts";
import { type DuePlace, type DueSubscription, dueSubscriptions } from "../db/billing/due-subscriptions.ts";
import { findSubscription } from "../db/billing/subscriptions.ts";
import { type Instant, instant, instantOfEpochMs, isoOf } from "../domain/calendar/index.ts";
import { invariant } from "../domain/errors.ts";
import type { WithRoom } from "./at-most.ts";
import { closePeriodsTogether } from "./close-together.ts";
import type { ActivityDependencies } from "./dependencies.ts";
import { startLateClosing } from "./notice-late-usage.ts";
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
  /** How many periods are closed in one transaction at most. */
  readonly togetherMax: number;
  /** Shared by all pages of this process: no more transactions close at once than the database has connections for. */
  readonly withRoom: WithRoom;
  /** What an attempt that was cut off had done. */
  readonly before: PageCounts | undefined;
  readonly progress: (counts: PageCounts) => void;
  /** Whether this process is about to end: what is not begun is then left to the next attempt. */
  readonly isStopping: () => boolean;
  /** Periods that have failed in pages of this process: no group is held up by one a second time. */
  readonly failing: FailingPeriods;
  /** Is told of each period that failed; its own run shows the same to operators. */
  readonly onFailure: (subscriptionId: string, error: unknown) => void;
}

/** Of each subscription the start of the period that failed last. */
export type FailingPeriods = Map<string, Instant>;

/**
 * Closes a page of periods that are due: some together in a transaction, of different customers, and several transactions at a
 * time. Customers on test clocks are left to their clocks. A period that fails, or whose usage is not complete, gets a run of its
 * own, where it is seen; pages after that try it by itself, so that it closes once its cause is mended. What was closed is not due any more, so an attempt that was cut off is taken up by reading the page again.
 * A database or a Temporal server that is away fails the attempt, not the periods.
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
  const count = (what: keyof PageCounts, periods: number) => {
    counts[what] += periods;
    options.progress({ ...counts });
  };
  let isCutShort = false;
  const close = (group: readonly DueSubscription[]) =>
    options.withRoom(async () => {
      isCutShort ||= options.isStopping();
      if (isCutShort) return;
      await closeGroup(deps, group, options, count).catch((error: unknown) => {
        // Nothing that is begun now would end otherwise.
        isCutShort = true;
        throw error;
      });
    });
  // All of them end before this does: an attempt that failed leaves nothing behind that goes on.
  const ended = await Promise.allSettled(groupsOf(due, options).map(close));
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

/** What failed before by itself, and groups of the others. */
function groupsOf(
  due: readonly DueSubscription[],
  { failing, togetherMax }: PageOptions,
): DueSubscription[][] {
  const hasFailed = ({ subscriptionId, billedThrough }: DueSubscription) =>
    failing.get(subscriptionId) === billedThrough;
  const others = due.filter((row) => !hasFailed(row));
  return [...groupsOfCustomers(others, togetherMax), ...due.filter(hasFailed).map((row) => [row])];
}

/** Groups of about the same size, in none of which a customer is twice: his second subscription comes after everybody's first. */
function groupsOfCustomers(due: readonly DueSubscription[], togetherMax: number): DueSubscription[][] {
  const rounds: DueSubscription[][] = [];
  const roundsOfCustomer = new Map<string, number>();
  for (const row of due) {
    const round = roundsOfCustomer.get(row.customerId) ?? 0;
    roundsOfCustomer.set(row.customerId, round + 1);
    const others = rounds[round];
    if (others === undefined) rounds.push([row]);
    else others.push(row);
  }
  return rounds.flatMap((round) => {
    const size = Math.ceil(round.length / Math.ceil(round.length / togetherMax));
    return Array.from({ length: Math.ceil(round.length / size) }, (_, nth) =>
      round.slice(nth * size, (nth + 1) * size),
    );
  });
}

async function closeGroup(
  deps: ActivityDependencies,
  group: readonly DueSubscription[],
  { now, usageWaitMsMax, failing, onFailure }: PageOptions,
  count: (what: keyof PageCounts, periods: number) => void,
): Promise<void> {
  const at = isoOf(now);
  const inputs = group.map(({ subscriptionId, billedThrough }) => ({
    subscriptionId,
    periodStart: isoOf(billedThrough),
    at,
  }));
  const outcomes = await closePeriodsTogether(deps.db, inputs, { usageWaitMsMax });
  const open: DueSubscription[] = [];
  let closed = 0;
  for (const [place, row] of group.entries()) {
    const outcome = outcomes[place];
    invariant(outcome, "each period has an outcome");
    if (outcome.status === "rejected") {
      failing.set(row.subscriptionId, row.billedThrough);
      onFailure(row.subscriptionId, outcome.reason);
      open.push(row);
      continue;
    }
    failing.delete(row.subscriptionId);
    if (outcome.value.outcome !== "waiting") closed += 1;
    // What waits for the grace of another that is on the same invoice is due again when that is over.
    else if (!("grantedTo" in outcome.value)) open.push(row);
  }
  // Before anything is handed over, which may fail.
  count("closed", closed);
  for (const row of open) {
    await handOver(deps, row);
    count("handedOver", 1);
  }
}

async function handOver({ gateway, db }: ActivityDependencies, due: DueSubscription): Promise<void> {
  const { subscriptionId, customerId } = due;
  const row = await findSubscription(db.orm, subscriptionId);
  invariant(row, "what is due is there");
  if (isBilledToItsEnd(row)) return await startLateClosing({ gateway, db }, { row, clock: null });
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

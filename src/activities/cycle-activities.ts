import { Context, log } from "@temporalio/activity";
import { queryFailure } from "../db/sql-state.ts";
import type { ClosingPolicy } from "../workflows/messages.ts";
import { atMost } from "./at-most.ts";
import { closeDuePage, type FailingPeriods, type PageCounts, type PageInput } from "./close-due-page.ts";
import { type ClosePeriodInput, closePeriodOnce } from "./close-period.ts";
import type { ActivityDependencies } from "./dependencies.ts";
import { atTheEdge, reportProgress } from "./edge.ts";
import type { WaitingForUsage } from "./wait-for-usage.ts";

export interface CycleOptions extends WaitingForUsage {
  /** Who closes periods in this deployment, and over how long their closing is spread. */
  readonly closing: ClosingPolicy;
  /** How many transactions of this process close periods at once, those of pages and of single periods together. */
  readonly closesAtOnce: number;
}

/** More are hardly cheaper for each, and all of their customers are locked until the last of them is closed. */
const togetherMax = 20;

/** How long after it was due a period is left to its own subscription's run before the net takes it. */
export const patienceMs = { workflow: 10 * 60_000, paged: 0 } as const;

export type CycleActivities = ReturnType<typeof cycleActivities>;

/** The closing of periods, on a queue of its own. */
export function cycleActivities(
  deps: ActivityDependencies,
  { closing, closesAtOnce, usageWaitMsMax }: CycleOptions,
) {
  const withRoom = atMost(closesAtOnce);
  const patience = patienceMs[closing.by];
  const failing: FailingPeriods = new Map();
  return atTheEdge({
    closePeriod: (input: ClosePeriodInput) =>
      withRoom(() => closePeriodOnce(deps.db, input, { usageWaitMsMax })),
    closeDuePage: (input: PageInput) => {
      const { info, cancellationSignal } = Context.current();
      return closeDuePage(deps, input, {
        now: deps.now(),
        patienceMs: patience,
        windowSeconds: closing.windowSeconds,
        usageWaitMsMax,
        togetherMax,
        withRoom,
        failing,
        before: info.heartbeatDetails as PageCounts | undefined,
        progress: reportProgress,
        isStopping: () => cancellationSignal.aborted,
        onFailure: (subscriptionId, error) =>
          log.warn("a period could not be closed in its page", {
            subscription_id: subscriptionId,
            error: (queryFailure(error) ?? (error as Error)).message,
          }),
      });
    },
  });
}

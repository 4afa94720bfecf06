import {
  type ActivityOptions,
  proxyActivities,
  proxyLocalActivities,
  workflowInfo,
} from "@temporalio/workflow";
import type { CycleActivities, DatabaseActivities, StripeActivities } from "../activities/index.ts";
import { cyclesQueueOf, stripeQueueOf } from "./messages.ts";

const backoff = { initialInterval: "1s", backoffCoefficient: 2, maximumInterval: "60s" } as const;

/** Every activity is heard of while it runs; what a worker has left behind is taken over after this. */
const heartbeatTimeout = "10s";

/** Our own database: it comes back, and until then there is nothing better to do than to try again. */
const databaseOptions: ActivityOptions = { startToCloseTimeout: "30s", heartbeatTimeout, retry: backoff };

/** Rating and page closing read more. */
const longOptions: ActivityOptions = { startToCloseTimeout: "10m", heartbeatTimeout, retry: backoff };

export const databaseActivities = proxyActivities<DatabaseActivities>(databaseOptions);

/**
 * The same within the run's own task: no queue, hardly an event, and no second try. What it is used for is done in
 * milliseconds, may be done again, and is done otherwise when it fails: see `promptly`.
 */
export const promptActivities = proxyLocalActivities<DatabaseActivities>({
  startToCloseTimeout: "5s",
  retry: { maximumAttempts: 1 },
});

/** The closing of periods, on the queue of its own. */
export function cycleActivities() {
  return proxyActivities<CycleActivities>({
    ...longOptions,
    taskQueue: cyclesQueueOf(workflowInfo().taskQueue),
  });
}

/**
 * Stripe: the client gives up after 30 s, so the activity outlives some calls. Bounded by time, not by attempts, so that an
 * outage of hours is not turned into a failure; past 20 h a key may be forgotten, and nothing is resent blind.
 */
export function stripeActivities(startToCloseTimeout: "2m" | "10m" = "2m") {
  return proxyActivities<StripeActivities>({
    taskQueue: stripeQueueOf(workflowInfo().taskQueue),
    startToCloseTimeout,
    heartbeatTimeout,
    scheduleToCloseTimeout: "20h",
    retry: backoff,
  });
}

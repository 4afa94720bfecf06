import type { Client } from "@temporalio/client";
import { cyclesQueueOf, stripeQueueOf } from "../workflows/messages.ts";

/** The queues of a deployment by what is done on them. */
export const queueRoles = ["interactive", "cycles", "stripe"] as const;
export type QueueRole = (typeof queueRoles)[number];

/** A task queue's activities, which can be held back; workflow tasks always go on, and ask for activities meanwhile. */
export interface QueueStanding {
  readonly role: QueueRole;
  readonly name: string;
  readonly isPaused: boolean;
  /** Why its rate is what it is, as whoever set it said; null when nobody did. */
  readonly reason: string | null;
  /** About how many activities wait. */
  readonly waiting: number;
  readonly oldestWaitsSeconds: number;
}

const activityQueue = 2;

/** Pausing and resuming the activities of a deployment's task queues, by the server's own rate limit for a queue. */
export class TemporalQueues {
  readonly #client: Client;
  readonly #nameOf: Readonly<Record<QueueRole, string>>;

  constructor(client: Client, taskQueue: string) {
    this.#client = client;
    this.#nameOf = {
      interactive: taskQueue,
      cycles: cyclesQueueOf(taskQueue),
      stripe: stripeQueueOf(taskQueue),
    };
  }

  async standing(role: QueueRole): Promise<QueueStanding> {
    const name = this.#nameOf[role];
    const { config, stats } = await this.#client.workflowService.describeTaskQueue({
      namespace: this.#client.options.namespace,
      taskQueue: { name },
      taskQueueType: activityQueue,
      reportStats: true,
      reportConfig: true,
    });
    const limit = config?.queueRateLimit;
    return {
      role,
      name,
      isPaused: limit?.rateLimit != null && (limit.rateLimit.requestsPerSecond ?? 0) === 0,
      reason: limit?.metadata?.reason || null,
      waiting: Number(stats?.approximateBacklogCount ?? 0),
      oldestWaitsSeconds: Number(stats?.approximateBacklogAge?.seconds ?? 0),
    };
  }

  /** Holds all activities of the queue back, or lets them go at the rate that the workers ask for. */
  async set(role: QueueRole, isPaused: boolean, reason: string): Promise<void> {
    await this.#client.workflowService.updateTaskQueueConfig({
      namespace: this.#client.options.namespace,
      identity: "reckoner operations",
      taskQueue: this.#nameOf[role],
      taskQueueType: activityQueue,
      // Without a rate the queue has none of its own.
      updateQueueRateLimit: { reason, ...(isPaused ? { rateLimit: { requestsPerSecond: 0 } } : {}) },
    });
  }
}

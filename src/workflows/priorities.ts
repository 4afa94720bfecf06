import type { Priority } from "@temporalio/common";

/** Of one priority, customers take turns: nobody's thousand subscriptions keep another customer waiting. */
const of = (priorityKey: number, customerId?: string): Priority => ({
  priorityKey,
  ...(customerId === undefined ? {} : { fairnessKey: customerId.slice(0, 64) }),
});

/**
 * What goes first where work waits in a queue: what somebody waits for, then closing and collecting, then dunning, which
 * has days, then what has all the time there is. What a run starts is as urgent as itself, unless it says otherwise.
 */
export const priorities = {
  interactive: (customerId: string) => of(1, customerId),
  cycle: (customerId?: string) => of(3, customerId),
  dunning: (customerId: string) => of(4, customerId),
  backfill: (customerId?: string) => of(5, customerId),
} as const;

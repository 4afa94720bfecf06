import { continueAsNew, setCurrentDetails, workflowInfo } from "@temporalio/workflow";
import { longActivities } from "./activity-options.ts";

export interface CycleCloseInput {
  readonly closedBefore?: number;
}

/**
 * Started by a Schedule: finds the periods that are due and not closed and closes them in pages, each subscription in
 * its own idempotent transaction, with no workflow of its own unless something must wait or went wrong. The safety net
 * for every missed wake-up, and the normal way where `CYCLE_CLOSE=paged`. Id: `cycle-close`. Answers how many it closed.
 */
export async function cycleClose({ closedBefore = 0 }: CycleCloseInput): Promise<number> {
  let closed = closedBefore;
  for (;;) {
    const page = await longActivities.closeDuePage({ limit: 100 });
    closed += page.closed;
    setCurrentDetails(`${closed} periods closed, ${page.handedOver} handed over to a cycle of their own.`);
    if (!page.more) return closed;
    if (workflowInfo().continueAsNewSuggested)
      await continueAsNew<typeof cycleClose>({ closedBefore: closed });
  }
}

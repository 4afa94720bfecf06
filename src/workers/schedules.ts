import { type Client, ScheduleAlreadyRunning, ScheduleOverlapPolicy } from "@temporalio/client";
import { workflowIds } from "../workflows/messages.ts";

/** How often the net is cast; how far apart the deployments of one server do it. */
const everyMs = 5 * 60_000;
const jitterMs = 30_000;

/** Makes sure that the cycle close runs on its Schedule; one that is there is left as an operator may have set it. */
export async function ensureSchedules(client: Client, taskQueue: string): Promise<void> {
  try {
    await client.schedule.create({
      scheduleId: workflowIds.cycleClose,
      spec: { intervals: [{ every: everyMs }], jitter: jitterMs },
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: "1 hour" },
      action: {
        type: "startWorkflow",
        workflowType: "cycleClose",
        workflowId: workflowIds.cycleClose,
        taskQueue,
        args: [{}],
        staticSummary: "Closes the periods that are due",
      },
    });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
}

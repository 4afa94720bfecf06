import { type Client, ScheduleAlreadyRunning, ScheduleOverlapPolicy } from "@temporalio/client";
import { workflowIds } from "../workflows/messages.ts";
import { priorities } from "../workflows/priorities.ts";

/** How often the net is cast; how far apart the deployments of one server do it. */
const everyMs = 5 * 60_000;
const jitterMs = 30_000;

export interface CycleCloseSettings {
  readonly taskQueue: string;
  /** How many pages are closed at once. */
  readonly lanes: number;
}

/** Makes sure that the cycle close runs on its Schedule, as wide as it is now said; when it runs stays as an operator may have set it. */
export async function ensureSchedules(
  client: Client,
  { taskQueue, lanes }: CycleCloseSettings,
): Promise<void> {
  const scheduleId = workflowIds.cycleClose;
  const action = {
    type: "startWorkflow",
    workflowType: "cycleClose",
    workflowId: workflowIds.cycleClose,
    taskQueue,
    args: [{ lanes }],
    staticSummary: "Closes the periods that are due",
    priority: priorities.cycle(),
  } as const;
  try {
    await client.schedule.create({
      scheduleId,
      spec: { intervals: [{ every: everyMs }], jitter: jitterMs },
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: "1 hour" },
      action,
    });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    await client.schedule.getHandle(scheduleId).update((known) => ({ ...known, action }));
  }
}

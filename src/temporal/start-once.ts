import {
  type Client,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  type WorkflowOptions,
} from "@temporalio/client";
import type { ClockReading } from "../workflows/messages.ts";
import { priorities } from "../workflows/priorities.ts";
import type { RunLabel } from "../workflows/run-labels.ts";
import { expectSettling } from "./nudge.ts";

export interface RunToStart {
  readonly type: string;
  readonly workflowId: string;
  readonly input: object & { readonly customerId?: string; readonly clock?: ClockReading | null };
  readonly options: RunLabel & Pick<WorkflowOptions, "priority" | "startDelay">;
}

/** Starts a run, unless there is or was one of the same id; a test clock stands still until it has settled. */
export async function startOnce(
  client: Client,
  taskQueue: string,
  { type, workflowId, input, options }: RunToStart,
): Promise<void> {
  if (input.clock) {
    // Announced only when it is to be: nobody else would settle it.
    if (await hasRun(client, workflowId)) return;
    await expectSettling(client, input.clock.clockId, { token: `start:${workflowId}` });
  }
  try {
    await client.workflow.start(type, {
      workflowId,
      taskQueue,
      args: [input],
      workflowIdReusePolicy: "REJECT_DUPLICATE",
      priority: priorities.cycle(input.customerId),
      ...options,
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}

/** Whether there is or was a run of an id. */
export async function hasRun(client: Client, workflowId: string): Promise<boolean> {
  try {
    await client.workflow.getHandle(workflowId).describe();
    return true;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

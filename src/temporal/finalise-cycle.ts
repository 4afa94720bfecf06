import { type Client, WorkflowExecutionAlreadyStartedError } from "@temporalio/client";
import type * as workflows from "../workflows/index.ts";
import * as messages from "../workflows/messages.ts";
import { priorities } from "../workflows/priorities.ts";
import { runLabels } from "../workflows/run-labels.ts";
import { expectSettling, settle } from "./nudge.ts";

/**
 * Has a period closed now, by its run, or by one that is started with it; whatever delay that was to have. One that is closed
 * needs no telling.
 * @param cause names the message for good: sent again it is the same one
 * @param isKnown whether there is, or was, such a run
 */
export async function finaliseCycle(
  client: Client,
  input: messages.BillingCycleInput,
  {
    taskQueue,
    cause,
    isKnown,
  }: { readonly taskQueue: string; readonly cause: string; readonly isKnown: boolean },
): Promise<void> {
  const { clock, customerId } = input;
  const workflowId = messages.cycleRunId(input);
  const token = `told:${workflowId}:${cause}`;
  if (clock !== null) {
    if (!isKnown) await expectSettling(client, clock.clockId, { token: `start:${workflowId}` });
    await expectSettling(client, clock.clockId, { token });
  }
  try {
    await client.workflow.signalWithStart<typeof workflows.billingCycle, [messages.Told]>("billingCycle", {
      workflowId,
      taskQueue,
      args: [input],
      workflowIdReusePolicy: "REJECT_DUPLICATE",
      priority: priorities.cycle(customerId),
      ...runLabels.billingCycle(input),
      signal: messages.finalise,
      signalArgs: [clock === null ? {} : { token, at: clock.now }],
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    if (clock !== null) await settle(client, clock.clockId, workflowId, token);
  }
}

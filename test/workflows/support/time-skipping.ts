import { randomUUID } from "node:crypto";
import { defaultPayloadConverter } from "@temporalio/common";
import type * as workflows from "../../../src/workflows/index.ts";
import { workflowIds } from "../../../src/workflows/messages.ts";
import type { Scene } from "./scene.ts";

/**
 * Starts a run on the wall clock whose time the server skips whenever nothing is under way but timers; its children
 * inherit that. The SDK's own start does not know the option yet. Resolves when the run has started.
 */
export async function startSkipping<Name extends keyof typeof workflows>(
  { client, taskQueue }: Scene,
  type: Name,
  workflowId: string,
  input: Parameters<(typeof workflows)[Name]>[0],
): Promise<void> {
  await client.workflowService.startWorkflowExecution({
    namespace: client.options.namespace,
    workflowId,
    workflowType: { name: type },
    taskQueue: { name: taskQueue },
    input: { payloads: [defaultPayloadConverter.toPayload(input)] },
    requestId: randomUUID(),
    timeSkippingConfig: { enabled: true, maxSessionSkipCount: 1_000 },
  });
}

/** Runs that others start through an activity inherit nothing: here the server skips for a period's run too. */
export function skipInCyclesToo(scene: Scene): void {
  scene.standIns.on("startBillingCycle", async ({ planKey: _, ...cycle }) => {
    const workflowId = workflowIds.billingCycle(cycle.subscriptionId, cycle.periodStart);
    await startSkipping(scene, "billingCycle", workflowId, cycle);
  });
}

import { randomUUID } from "node:crypto";
import { defaultPayloadConverter } from "@temporalio/common";
import type * as workflows from "../../../src/workflows/index.ts";
import type { Scene } from "./scene.ts";

/**
 * Starts a run on the wall clock whose time the server skips whenever nothing is under way but timers; the runs that it
 * starts inherit that. The SDK's own start does not know the option yet. Resolves when the run has started.
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

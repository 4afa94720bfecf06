import type { Client } from "@temporalio/client";
import { detailsOf, until } from "./scene.ts";

/** How many updates the run has accepted: one that its validator refuses leaves no trace. */
export async function acceptedUpdates(client: Client, workflowId: string): Promise<number> {
  const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
  return events?.filter((event) => event.workflowExecutionUpdateAcceptedEventAttributes).length ?? 0;
}

/** Waits until the run is parked; answers what operators see of it. */
export async function untilParked(client: Client, workflowId: string) {
  await until(async () => (await attentionOf(client, workflowId)) === true, `${workflowId} is parked`);
  return {
    details: await detailsOf(client, workflowId),
    errorClass: await attributeOf(client, workflowId, "ErrorClass"),
  };
}

export const attentionOf = (client: Client, workflowId: string) =>
  attributeOf(client, workflowId, "NeedsAttention");

async function attributeOf(client: Client, workflowId: string, name: string): Promise<unknown> {
  const { typedSearchAttributes } = await client.workflow.getHandle(workflowId).describe();
  return typedSearchAttributes.getAll().find(({ key }) => key.name === name)?.value;
}

/** Waits until a run that must end by itself has ended; answers with its result. */
export const resultOf = (client: Client, workflowId: string) =>
  client.workflow.getHandle(workflowId).result() as Promise<unknown>;

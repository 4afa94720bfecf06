import type { UpdateDefinition } from "@temporalio/client";
import * as messages from "../../../src/workflows/messages.ts";
import type { Scene, SceneClock } from "./scene.ts";

/** A subscription on a test clock, begun through the gateway as the API does it, and what can be said to it. */
export async function beginSubscription(
  scene: Scene,
  clock: SceneClock,
  { invoiceId }: { readonly invoiceId?: string } = {},
) {
  const { gateway, standIns, client } = scene;
  const subscriptionId = scene.id("sub");
  const customerId = scene.id("cus");
  const workflowId = messages.workflowIds.subscription(subscriptionId);
  if (invoiceId !== undefined) {
    const open = standIns.behaviourOf("openSubscription");
    standIns.on("openSubscription", async (input) => ({ ...(await open(input)), invoiceId, collect: true }));
  }
  const reading = clock.reading();
  const command = {
    requestId: `activate/${subscriptionId}`,
    at: reading.now,
    items: [{ planKey: "solo", seats: 1 }],
  };
  const activateAgain = () =>
    gateway.activateSubscription({ subscriptionId, customerId, clock: reading }, command);
  const answer = await activateAgain();
  return {
    subscriptionId,
    customerId,
    workflowId,
    answer,
    activateAgain,
    /** Sends a command; its request is a new one unless it is named. */
    send<C extends { requestId: string; at: string }>(
      update: UpdateDefinition<messages.ChangeAnswer, [C]>,
      rest: Omit<C, "requestId"> & { requestId?: string },
    ): Promise<messages.ChangeAnswer> {
      const named = { requestId: scene.id("req"), ...rest } as C;
      return gateway.commandSubscription(subscriptionId, update, named);
    },
    standing: () => client.workflow.getHandle(workflowId).query(messages.standing),
  };
}

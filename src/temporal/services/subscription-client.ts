import type { Client, UpdateDefinition } from "@temporalio/client";
import * as messages from "../../workflows/messages.ts";
import { TemporalGateway } from "../gateway.ts";
import { requireCommand } from "./command-shape.ts";

/** A subscription that is to begin. `at` may be left out: now. */
export interface Activation extends Untimed<messages.ActivateCommand> {
  readonly subscriptionId: string;
  readonly customerId: string;
  /** Where the customer's test clock is; left out for everybody who has none. */
  readonly clock?: messages.ClockReading;
}

type Untimed<C extends { readonly at: string }> = Omit<C, "at"> & { readonly at?: string };

export interface SubscriptionClient {
  /**
   * Starts the subscription's run, or finds it, and has it activated: one call, however often it is repeated with the same
   * `requestId`. The customer has to be known already.
   * @throws WorkflowRefusal with the code that the API refuses it with
   * @throws WorkflowSilentError when nobody answers: the same call again is done once
   */
  activate(activation: Activation): Promise<messages.ActivateAnswer>;
  /**
   * Sends one of the updates, for example `send("sub_1", changePlan, { requestId: "order-7", planKey: "team" })`. It is
   * refused before anything is written, or answered with what will happen and when; repeated, with the same answer.
   * @throws WorkflowRefusal, WorkflowSilentError as above
   */
  send<C extends { readonly requestId: string; readonly at: string }>(
    subscriptionId: string,
    update: UpdateDefinition<messages.ChangeAnswer, [C]>,
    command: Untimed<C>,
  ): Promise<messages.ChangeAnswer>;
  /** What the run remembers, asked of a worker; null before it was activated. For what customers see, ask the API. */
  standing(subscriptionId: string): Promise<messages.RunningSubscription | null>;
}

/**
 * @param client connected by `connectTemporal`, or any with `dataConverterOf` its keys
 * @param taskQueue the deployment's TEMPORAL_TASK_QUEUE_PREFIX
 */
export function subscriptionClient(
  client: Client,
  { taskQueue, now = () => new Date() }: { readonly taskQueue: string; readonly now?: () => Date },
): SubscriptionClient {
  const gateway = new TemporalGateway(client, taskQueue);
  return {
    activate: async ({ subscriptionId, customerId, clock = null, at, ...rest }) => {
      const command = { ...rest, at: at ?? clock?.now ?? now().toISOString() };
      requireCommand({ subscriptionId, customerId }, command);
      return await gateway.activateSubscription({ subscriptionId, customerId, clock }, command);
    },
    send: async <C extends { readonly requestId: string; readonly at: string }>(
      subscriptionId: string,
      update: UpdateDefinition<messages.ChangeAnswer, [C]>,
      untimed: Untimed<C>,
    ) => {
      const command = { ...untimed, at: untimed.at ?? now().toISOString() } as C;
      requireCommand({ subscriptionId }, command);
      return await gateway.commandSubscription(subscriptionId, update, command);
    },
    standing: (subscriptionId) =>
      client.workflow.getHandle(messages.workflowIds.subscription(subscriptionId)).query(messages.standing),
  };
}

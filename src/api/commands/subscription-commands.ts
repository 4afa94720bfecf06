import type { Database } from "../../db/database.ts";
import { isoOf } from "../../domain/calendar/index.ts";
import type { TemporalGateway } from "../../temporal/gateway.ts";
import * as messages from "../../workflows/messages.ts";
import type {
  SubscriptionChangeCommand,
  SubscriptionChanged,
  SubscriptionCommands,
  WantedPlan,
} from "../dependencies.ts";
import { clockReadingOf } from "./clock-reading.ts";

/** Subscription commands as updates of the subscription's workflow. */
export function subscriptionCommands(db: Database, gateway: TemporalGateway): SubscriptionCommands {
  async function send<C extends { requestId: string; at: string }>(
    { subscriptionId, requestId, at, options, when }: SubscriptionChangeCommand,
    update: Parameters<typeof gateway.commandSubscription<C>>[1],
    rest: Omit<C, "requestId" | "at">,
  ): Promise<SubscriptionChanged> {
    const timed = when === undefined ? {} : { when };
    const command = { ...options, ...timed, ...rest, requestId, at: isoOf(at) } as C;
    return await gateway.commandSubscription(subscriptionId, update, command);
  }
  return {
    async activate({ subscriptionId, requestId, customerId, at, items, start }) {
      const clock = await clockReadingOf(db, customerId);
      const input = { subscriptionId, customerId, clock };
      const command = { requestId, at: isoOf(at), items, ...(start === undefined ? {} : { start }) };
      return await gateway.activateSubscription(input, command);
    },
    changePlan: (command) =>
      send(command, messages.changePlan, {
        ...wantedPlan(command),
        ...(command.seats === undefined ? {} : { seats: command.seats }),
      }),
    changeQuantity: (command) => send(command, messages.changeQuantity, { seats: command.seats }),
    addAddOn: (command) => send(command, messages.addAddOn, { ...wantedPlan(command), seats: command.seats }),
    cancel: (command) =>
      send(command, messages.cancel, {
        when: command.when,
        ...(command.unused === "credit" ? {} : { credit: command.unused }),
      }),
    removeAddOn: (command) => send(command, messages.removeAddOn, { planKey: command.planKey }),
    endTrial: (command) => send(command, messages.endTrial, {}),
    uncancel: (command) => send(command, messages.uncancel, {}),
    withdrawScheduled: (command) => send(command, messages.withdrawScheduled, { changeId: command.changeId }),
    pause: (command) => send(command, messages.pause, { ...command.pause }),
    resume: (command) => send(command, messages.resume, {}),
  };
}

function wantedPlan({ planKey, agreement }: WantedPlan): WantedPlan {
  return { planKey, ...(agreement === undefined ? {} : { agreement }) };
}

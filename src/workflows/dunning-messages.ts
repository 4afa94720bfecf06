import { defineSignal } from "@temporalio/workflow";
import type { DeclineClass } from "../domain/lifecycle/index.ts";
import type { CollectionInput, Told } from "./messages.ts";

export interface DunningInput extends CollectionInput {
  /** When the first attempt failed. */
  readonly startedAt: string;
  readonly lastDecline: DeclineClass;
  /** When the first charge was not sent, because of what networks allow of the card: until then, or never again. */
  readonly withheld?: { readonly until: string | null };
}

/** What a first charge came to that did not succeed. */
export type FirstChargeFailed =
  | { readonly status: "declined"; readonly declineCode: string; readonly declineClass: DeclineClass }
  | { readonly status: "withheld"; readonly until: string | null };

/** The dunning that follows a first charge at an instant. */
export function dunningAfter(
  failed: FirstChargeFailed,
  invoice: CollectionInput,
  startedAt: string,
): DunningInput {
  // What was never sent was not declined: the card is tried when the network allows it again.
  return failed.status === "withheld"
    ? { ...invoice, startedAt, lastDecline: "soft", withheld: { until: failed.until } }
    : { ...invoice, startedAt, lastDecline: failed.declineClass };
}

/** The customer has a new payment method on file. */
export const paymentMethodUpdated = defineSignal<[Told]>("paymentMethodUpdated");

/** A dispute or an inquiry about a payment of the invoice was opened, or is over. */
export const disputeChanged =
  defineSignal<[Told & { readonly disputeId: string; readonly isOpen: boolean }]>("disputeChanged");

/** What an operator decided, and wrote down under the request's id before. */
export interface DunningCommand {
  readonly requestId: string;
  readonly command: "retry" | "postpone" | "stop";
  /** Of a postponement. */
  readonly until?: string;
}

export const dunningCommanded = defineSignal<[Told & DunningCommand]>("dunningCommanded");

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

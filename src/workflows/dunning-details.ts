import { isoOf } from "../domain/calendar/index.ts";
import type { DunningPolicy, DunningStep } from "../domain/lifecycle/index.ts";

type Waiting = Exclude<DunningStep, { kind: "end" }>;

/** How a dunning stands while it waits for a step. */
export const stateOfStep = {
  attempt: "retrying",
  await_payment_method: "awaiting_payment_method",
  await_action: "awaiting_action",
  await_dispute: "disputed",
} as const satisfies Record<Waiting["kind"], string>;

/** What the Temporal UI shows of a dunning that waits, in markdown. */
export function dunningDetails(
  invoiceId: string,
  attempts: number,
  step: Waiting,
  { finalAction }: DunningPolicy,
): string {
  const begin = `Invoice ${invoiceId}: ${attempts} ${attempts === 1 ? "attempt" : "attempts"} made.`;
  const more = "A new payment method is tried at once. An operator may retry now, postpone or stop.";
  return `${begin} ${waitsFor(step, finalAction)}\n\n${more}`;
}

function waitsFor(step: Waiting, finalAction: string): string {
  switch (step.kind) {
    case "attempt":
      return `The next is **${isoOf(step.at)}** (${step.why}).`;
    case "await_payment_method":
      return `Waiting for a new payment method (${step.why}) until **${isoOf(step.at)}**, then: ${finalAction}.`;
    case "await_action":
      return `Waiting for the customer to confirm the payment until **${isoOf(step.at)}**; then it counts as failed.`;
    case "await_dispute":
      return "Nothing is done while a dispute about it is open.";
  }
}

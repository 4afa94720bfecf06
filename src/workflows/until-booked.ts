import { condition } from "@temporalio/workflow";
import { stripeActivities } from "./activity-options.ts";
import { orPark } from "./park.ts";

/** Stripe's webhook normally comes within a second; after this long we ask instead of waiting for it. */
const webhookPatience = "20 seconds";

/**
 * Waits for the webhook's booking; when it does not come, asks Stripe and books what it answers.
 * This waits for the world outside, so it is real time even on a test clock.
 */
export async function untilBooked(invoiceId: string, at: string, booked: () => boolean): Promise<void> {
  if (await condition(booked, webhookPatience)) return;
  const settle = () => stripeActivities().settleInvoice({ invoiceId, at });
  // Without the answer: the webhook or the reconciliation books it later.
  await orPark("asking Stripe about the payment", settle, () => undefined);
}

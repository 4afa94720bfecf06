import { setCurrentDetails } from "@temporalio/workflow";
import { stripeActivities } from "./activity-options.ts";
import { openClock } from "./clock.ts";
import type { RefundInput } from "./messages.ts";
import { orPark } from "./park.ts";

/**
 * Sends a refund that was written down to Stripe. Id: `refund/{refund}`. It ends with what Stripe says at once; what becomes of
 * a refund later, which may be days, is booked when Stripe tells of it, or is asked.
 */
export async function refund({ refundId, clock: reading }: RefundInput): Promise<string> {
  const clock = openClock(reading);
  setCurrentDetails(`Refund ${refundId} is being sent to Stripe.`);
  const { state } = await orPark("sending the refund", () => stripeActivities().sendRefund({ refundId }));
  setCurrentDetails(`Refund ${refundId} is ${state}.`);
  await clock.close();
  return state;
}

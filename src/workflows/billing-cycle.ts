import { setCurrentDetails } from "@temporalio/workflow";
import { addDuration, instant, isoOf } from "../domain/calendar/index.ts";
import { longActivities } from "./activity-options.ts";
import { openClock } from "./clock.ts";
import { type CollectionOutcome, collect } from "./collection.ts";
import type { BillingCycleInput } from "./messages.ts";
import { orPark } from "./park.ts";

export type BillingCycleOutcome = "nothing_to_collect" | CollectionOutcome | "collected_elsewhere";

/**
 * Closes one period of one subscription: waits the grace for late usage, then freezes, rates, applies credits, posts
 * and issues in one transaction, and collects the invoice. Id: `cycle/{subscription}/{periodStart}`; a period is
 * closed once, whoever comes first.
 */
export async function billingCycle(input: BillingCycleInput): Promise<BillingCycleOutcome> {
  const { subscriptionId, customerId, periodStart, periodEnd, graceSeconds } = input;
  const clock = openClock(input.clock);
  const closeAt = addDuration(instant(periodEnd), { seconds: graceSeconds }, "UTC");
  setCurrentDetails(
    `Period ${periodStart} to ${periodEnd}: usage that comes late is still taken until **${isoOf(closeAt)}**.`,
  );
  await clock.until(closeAt);
  const closed = await orPark("closing the period", () =>
    longActivities.closePeriod({ subscriptionId, periodStart, at: isoOf(clock.now()) }),
  );
  setCurrentDetails(
    `Period ${periodStart} to ${periodEnd}: ${closed.outcome}, invoice ${closed.invoiceId ?? "none"}.`,
  );
  let outcome: BillingCycleOutcome = "nothing_to_collect";
  if (closed.invoiceId !== null && closed.collect) {
    outcome = await collect(clock, { invoiceId: closed.invoiceId, customerId, subscriptionId });
    setCurrentDetails(`Period ${periodStart} to ${periodEnd}: invoice ${closed.invoiceId} is ${outcome}.`);
  }
  await clock.close();
  return outcome;
}

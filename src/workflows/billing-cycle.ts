import { setCurrentDetails } from "@temporalio/workflow";
import { addDuration, instant, isoOf } from "../domain/calendar/index.ts";
import { cycleActivities } from "./activity-options.ts";
import { type Clock, openClock } from "./clock.ts";
import { type CollectionOutcome, collect } from "./collection.ts";
import type { BillingCycleInput } from "./messages.ts";
import { orPark } from "./park.ts";

export type BillingCycleOutcome = "nothing_to_collect" | CollectionOutcome | "collected_elsewhere";

/**
 * Closes one period of one subscription: waits the grace for late usage, and for sources that are behind, up to a limit;
 * then freezes, rates, applies credits, posts and issues in one transaction, and collects the invoice. Id: `cycle/{subscription}/{periodStart}`; a period is
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
  const closed = await closeOnceComplete(input, clock);
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

/** The close says itself when usage is not complete, and when to come again: what is complete costs no step more. */
async function closeOnceComplete(
  { subscriptionId, periodStart, periodEnd }: BillingCycleInput,
  clock: Clock,
) {
  for (;;) {
    const closed = await orPark("closing the period", () =>
      cycleActivities().closePeriod({ subscriptionId, periodStart, at: isoOf(clock.now()) }),
    );
    if (closed.outcome !== "waiting") return closed;
    setCurrentDetails(
      `Period ${periodStart} to ${periodEnd}: usage of **${closed.meterKey}** is complete until ` +
        `**${closed.completeUntil}** only, because of the source \`${closed.source}\`. ` +
        `Looked at again ${closed.until}; closed as it is ${closed.giveUpAt}.`,
    );
    await clock.until(instant(closed.until));
  }
}

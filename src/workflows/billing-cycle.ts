import { setCurrentDetails, setHandler } from "@temporalio/workflow";
import type { PeriodWaits } from "../activities/wait-for-usage.ts";
import { addDuration, instant, isoOf } from "../domain/calendar/index.ts";
import { cycleActivities } from "./activity-options.ts";
import { type Clock, openClock } from "./clock.ts";
import { type CollectionOutcome, takePayment } from "./collection.ts";
import { type BillingCycleInput, finalise, type Told, taxGiven } from "./messages.ts";
import { orPark } from "./park.ts";
import { WaitingForTax } from "./waiting-for-tax.ts";

export type BillingCycleOutcome = "nothing_to_collect" | CollectionOutcome;

/**
 * Closes one period of one subscription: waits the grace for late usage, and for sources that are behind, up to a limit, unless
 * it is told to close now; and for tax that is reckoned outside; then freezes, rates, applies credits, posts and issues in one transaction, and collects the invoice. Id: `cycle/{subscription}/{periodStart}`; a period is
 * closed once, whoever comes first.
 */
export async function billingCycle(input: BillingCycleInput): Promise<BillingCycleOutcome> {
  const { subscriptionId, customerId, periodStart, periodEnd, graceSeconds } = input;
  const clock = openClock(input.clock);
  const closeAt = addDuration(instant(periodEnd), { seconds: graceSeconds }, "UTC");
  setCurrentDetails(
    `Period ${periodStart} to ${periodEnd}: usage that comes late is still taken until **${isoOf(closeAt)}**.`,
  );
  const told = hear(clock);
  await clock.until(closeAt, () => told.finalise);
  const closed = await closeOnceComplete(input, clock, told);
  setCurrentDetails(
    `Period ${periodStart} to ${periodEnd}: ${closed.outcome}, invoice ${closed.invoiceId ?? "none"}.`,
  );
  let outcome: BillingCycleOutcome = "nothing_to_collect";
  if (closed.invoiceId !== null && closed.collect) {
    outcome = await takePayment(clock, { invoiceId: closed.invoiceId, customerId, subscriptionId });
    setCurrentDetails(`Period ${periodStart} to ${periodEnd}: invoice ${closed.invoiceId} is ${outcome}.`);
  }
  await clock.close();
  return outcome;
}

/** What a run was told since it last looked. */
interface Heard {
  finalise: boolean;
  hasNews: boolean;
}

function hear(clock: Clock): Heard {
  const heard: Heard = { finalise: false, hasNews: false };
  const news = (message: Told, isFinal: boolean) => {
    clock.told(message);
    heard.hasNews = true;
    heard.finalise ||= isFinal;
  };
  setHandler(taxGiven, (message) => news(message, false));
  setHandler(finalise, (message) => news(message, true));
  return heard;
}

/** The close says itself when usage or tax is missing, and when to come again: what is complete costs no step more. */
async function closeOnceComplete(
  { subscriptionId, periodStart, periodEnd }: BillingCycleInput,
  clock: Clock,
  heard: Heard,
) {
  const tax = new WaitingForTax();
  for (;;) {
    heard.hasNews = false;
    const closed = await orPark("closing the period", () =>
      cycleActivities().closePeriod({
        ...{ subscriptionId, periodStart, at: isoOf(clock.now()) },
        ...(heard.finalise ? { finalise: true } : {}),
      }),
    );
    if (closed.outcome !== "waiting" || !("waitsFor" in closed)) tax.over();
    if (closed.outcome !== "waiting") return closed;
    if ("waitsFor" in closed) tax.show(`${periodStart} to ${periodEnd}`, closed, clock.now());
    else showWaitForUsage(`${periodStart} to ${periodEnd}`, closed);
    await clock.until(instant(closed.until), () => heard.hasNews);
  }
}

/** What a close waits for, as operators read it. */
function showWaitForUsage(period: string, waits: PeriodWaits): void {
  if ("grantedTo" in waits) {
    setCurrentDetails(
      `Period ${period}: is invoiced together with subscription \`${waits.grantedTo}\`, whose usage that comes late is still ` +
        `taken until **${waits.until}**.`,
    );
    return;
  }
  const { meterKey, completeUntil, source, until, giveUpAt, subscriptionId } = waits;
  const whose = subscriptionId === undefined ? "" : ` for subscription \`${subscriptionId}\``;
  setCurrentDetails(
    `Period ${period}: usage of **${meterKey}**${whose} is complete until **${completeUntil}** only, because of the source ` +
      `\`${source}\`. Looked at again ${until}; closed as it is ${giveUpAt}.`,
  );
}

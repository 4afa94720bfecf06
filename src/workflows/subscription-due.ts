import { workflowInfo } from "@temporalio/workflow";
import { addDuration, instant, isoOf } from "../domain/calendar/index.ts";
import type { SubscriptionStatus } from "../domain/lifecycle/index.ts";
import { databaseActivities, stripeActivities } from "./activity-options.ts";
import { startCollecting } from "./collection.ts";
import type { BegunAnchor } from "./messages.ts";
import { orPark } from "./park.ts";
import { promptly } from "./promptly.ts";
import { refusalOf } from "./refusal.ts";
import type { Running } from "./subscription.ts";

/** Makes what was agreed for an instant, unless the close of the period did: the run goes on from what it came to. */
export async function makeDue(self: Running, dueAt: string): Promise<void> {
  const { subscriptionId } = self.input;
  const made = await orPark("making what was agreed for later", () =>
    databaseActivities.applyScheduled({ subscriptionId, at: dueAt }),
  );
  const { start } = self.period();
  const { planKey, cancelAt, dueAt: next, anchor, issued } = made;
  self.become({ planKey, cancelAt, dueAt: next, status: standingAs(self.remembered().status, made.status) });
  for (const { invoiceId, collect } of issued) if (collect) await collectIssued(self, invoiceId);
  if (made.status === "canceled") {
    self.ended = true;
    await self.startCycle({ start, end: instant(cancelAt ?? dueAt) });
  } else if (anchor !== undefined) {
    await begin(self, anchor);
  }
}

/** What dunning has told the run is newer than what an activity read. */
function standingAs(told: SubscriptionStatus, read: SubscriptionStatus): SubscriptionStatus {
  return told === "past_due" && read === "active" ? told : read;
}

/** Another anchor ends the period in course, which is closed as any other. */
export async function begin(self: Running, { periodIndex, ...anchor }: BegunAnchor): Promise<void> {
  const { start } = self.period();
  self.become({ anchor, periodIndex });
  await self.startCycle({ start, end: instant(anchor.from) });
}

/** An end that was agreed has come. */
export async function endAsAgreed(self: Running, cancelAt: string): Promise<void> {
  const { subscriptionId } = self.input;
  const ended = await orPark("ending the subscription", () =>
    databaseActivities.endSubscription({ subscriptionId, at: cancelAt }),
  );
  self.become({ status: "canceled", dueAt: null });
  self.ended = true;
  // Histories of earlier versions have no answer here.
  if (ended?.invoiceId && ended.collect) await collectIssued(self, ended.invoiceId);
  await sendRefunds(self, ended?.refunds);
}

/** What an end gives back is sent by runs of their own. */
export async function sendRefunds(self: Running, refunds: readonly string[] = []): Promise<void> {
  if (refunds.length === 0) return;
  const clock = self.clock.reading();
  await promptly((activities) => activities.startRefunds({ refunds, clock }));
}

/** An invoice that was issued for the subscription is collected by a run of its own. */
export async function collectIssued(self: Running, invoiceId: string): Promise<void> {
  const { subscriptionId, customerId } = self.input;
  await startCollecting(self.clock, { invoiceId, customerId, subscriptionId });
}

/** Paid at Stripe, as it says when the invoice cannot be voided, but not booked yet: looked at again so much later. */
const againAfterSeconds = 600;

/** A subscription that waits for its first payment: it begins when that is booked, and is given up after its time. */
export async function settleFirstPayment(self: Running): Promise<void> {
  const { firstPayment } = self.remembered();
  if (!firstPayment) return;
  const { subscriptionId } = self.input;
  const { invoiceId, until } = firstPayment;
  const at = isoOf(self.clock.now());
  if (self.clock.now() >= instant(until)) await withdrawUnpaid(invoiceId, at);
  const { status } = await orPark("beginning the subscription", () =>
    databaseActivities.settleActivation({ subscriptionId, invoiceId, at }),
  );
  if (status === "active") self.become({ status, firstPayment: null });
  else if (status === "incomplete_expired") {
    self.become({ status, cancelAt: at });
    self.ended = true;
  } else if (self.clock.now() >= instant(until)) {
    const again = addDuration(self.clock.now(), { seconds: againAfterSeconds }, "UTC");
    self.become({ firstPayment: { invoiceId, until: isoOf(again) } });
  }
}

/** Whoever pays in the last moment has paid. */
async function withdrawUnpaid(invoiceId: string, at: string): Promise<void> {
  const { workflowId: voidedBy } = workflowInfo();
  const reason = "the first invoice was not paid in time";
  await orPark("withdrawing the first invoice", async () => {
    try {
      await stripeActivities().voidInvoice({ invoiceId, at, reasonCode: "other", reason, voidedBy });
    } catch (error) {
      if (refusalOf(error) === null) throw error;
      await stripeActivities().settleInvoice({ invoiceId, at });
    }
  });
}

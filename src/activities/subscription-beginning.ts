import { graceAfter } from "../db/billing/agreed-rows.ts";
import type { StoredCustomer } from "../db/billing/customers.ts";
import type { ScheduledChange } from "../db/billing/scheduled-changes.ts";
import { anchoredPeriodAt, anchorToStore, type StoredSubscription } from "../db/billing/subscriptions.ts";
import {
  type AgreedAnchor,
  addDuration,
  anchorFor,
  boundary,
  type Instant,
  instant,
} from "../domain/calendar/index.ts";
import type { PlanTrial, PlanVersion } from "../domain/catalog/index.ts";
import { invariant } from "../domain/errors.ts";
import type { Terms, TermsItem } from "../domain/invoicing/index.ts";
import { activationSeconds, billedFrom, SubscriptionStartRefusal } from "../domain/lifecycle/index.ts";
import type { StartChoices } from "../workflows/messages.ts";

export interface Beginning {
  readonly row: StoredSubscription;
  readonly terms: Terms;
  /** The end of the trial, which is agreed with it. */
  readonly trial: ScheduledChange | null;
}

/**
 * What a subscription begins with: its row, its first terms, and the end of its trial.
 * @throws SubscriptionStartRefusal
 */
export function beginning(
  id: string,
  customer: StoredCustomer,
  items: readonly TermsItem[],
  choices: StartChoices & { readonly requestId: string; readonly at: string },
): Beginning {
  const plan = items[0]?.plan;
  invariant(plan, "a subscription has a plan");
  const trial = choices.trial === "none" || choices.billedThrough !== undefined ? undefined : plan.trial;
  requirePaymentMethod(customer, choices);
  const startAt = instant(choices.startAt ?? choices.at);
  const from = billedFrom({
    at: instant(choices.at),
    startAt,
    ...(choices.billedThrough === undefined ? {} : { billedThrough: instant(choices.billedThrough) }),
  });
  const first = firstAnchor(plan, trial, { startAt, from, timeZone: customer.timeZone });
  const row = firstRow(id, customer, plan, { choices, first, trial });
  const free = trial === undefined ? {} : { usage: trial.usage };
  const terms: Terms = { effectiveAt: from, items, paused: trial !== undefined, ...free };
  return { row, terms, trial: trial === undefined ? null : endOfTrial(row, trial, choices) };
}

function requirePaymentMethod(customer: StoredCustomer, { paymentMethod = "optional" }: StartChoices): void {
  if (paymentMethod === "optional" || customer.paymentMethod !== null) return;
  const message = `customer ${customer.id} has no payment method: add one first`;
  throw new SubscriptionStartRefusal("payment_method_missing", message, "payment_method");
}

/** A trial is one period of its own length; else periods lie as the plan says, also where billing begins inside one. */
function firstAnchor(
  plan: PlanVersion,
  trial: PlanTrial | undefined,
  { startAt, from, timeZone }: { startAt: Instant; from: Instant; timeZone: string },
): AgreedAnchor {
  const { interval } = plan;
  if (trial !== undefined) {
    return { effectiveAt: from, anchor: { at: startAt, interval: trial.length, timeZone }, isTrial: true };
  }
  return { effectiveAt: from, anchor: anchorFor(plan.anchor, { start: startAt, interval, timeZone }) };
}

function firstRow(
  id: string,
  customer: StoredCustomer,
  { interval, graceSeconds }: PlanVersion,
  {
    choices,
    first,
    trial,
  }: { choices: StartChoices & { at: string }; first: AgreedAnchor; trial: PlanTrial | undefined },
): StoredSubscription {
  const { effectiveAt: from, anchor } = first;
  const expiresAt = trial === undefined ? expiryOf(choices) : null;
  const row: StoredSubscription = {
    id,
    customerId: customer.id,
    status: trial !== undefined ? "trialing" : expiresAt === null ? "active" : "incomplete",
    startedAt: from,
    intervalUnit: interval.unit,
    intervalCount: interval.count,
    timeZone: customer.timeZone,
    currency: customer.currency,
    graceSeconds,
    billedThrough: from,
    nextCloseAt: null,
    cancelAt: null,
    canceledAt: null,
    anchors: anchor.at === from && trial === undefined ? [] : [anchorToStore(first)],
    trialEndsAt: trial === undefined ? null : boundary(anchor, 1),
    expiresAt,
    reactivates: choices.reactivates ?? null,
    closeWaitsFor: null,
  };
  return { ...row, nextCloseAt: row.status === "incomplete" ? null : firstCloseAt(row) };
}

/** When the first period can be closed. */
export function firstCloseAt(row: StoredSubscription): Instant {
  return graceAfter(row, anchoredPeriodAt(row, row.startedAt).period.end);
}

/** @throws SubscriptionStartRefusal */
function expiryOf({ payWithinSeconds, at }: StartChoices & { at: string }): Instant | null {
  if (payWithinSeconds === undefined) return null;
  const { min, max } = activationSeconds;
  if (payWithinSeconds < min || payWithinSeconds > max) {
    const message = `must be ${min} to ${max} seconds`;
    throw new SubscriptionStartRefusal("activation_expiry_invalid", message, "pay_within_seconds");
  }
  return addDuration(instant(at), { seconds: payWithinSeconds }, "UTC");
}

function endOfTrial(
  { id, trialEndsAt }: StoredSubscription,
  { endAction, anchor }: PlanTrial,
  { requestId, at, trialWithoutPaymentMethod: without }: StartChoices & { requestId: string; at: string },
): ScheduledChange {
  invariant(trialEndsAt, "a trial has an end");
  const request = { endAction, anchor, ...(without === undefined ? {} : { withoutPaymentMethod: without }) };
  return {
    subscriptionId: id,
    changeId: `${requestId}/trial`,
    kind: "end_trial",
    effectiveAt: trialEndsAt,
    request,
    cause: "trial",
    requestedAt: instant(at),
  };
}

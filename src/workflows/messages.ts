/**
 * What may be said to the workflows, and how each run is called. Messages carry ids, states and ISO times, never
 * amounts. Imported by the API, the activities and the workers too, so that names and shapes exist once.
 */
import { defineSignal, defineUpdate } from "@temporalio/workflow";
import type { SubscriptionChange } from "./subscription-messages.ts";

export * from "./dunning-messages.ts";
export * from "./operator-messages.ts";
export * from "./subscription-messages.ts";
export * from "./test-clock-messages.ts";

export const workflowIds = {
  subscription: (subscriptionId: string) => `subscription/${subscriptionId}`,
  /** @param again how often the same was done before: of late usage after the end */
  billingCycle: (subscriptionId: string, periodStart: string, again = 0) =>
    `cycle/${subscriptionId}/${periodStart}${again === 0 ? "" : `/${again}`}`,
  proration: (subscriptionId: string, changeId: string) => `proration/${subscriptionId}/${changeId}`,
  collection: (invoiceId: string) => `collection/${invoiceId}`,
  dunning: (invoiceId: string) => `dunning/${invoiceId}`,
  refund: (refundId: string) => `refund/${refundId}`,
  withdrawal: (invoiceId: string) => `void/${invoiceId}`,
  topUp: (customerId: string, grantId: string) => `customer/${customerId}/top-up/${grantId}`,
  testClock: (clockId: string) => `clock/${clockId}`,
  cycleClose: "cycle-close",
} as const;

/** The id of the run that closes a period. */
export const cycleRunId = ({
  subscriptionId,
  periodStart,
  again,
}: Pick<BillingCycleInput, "subscriptionId" | "periodStart" | "again">): string =>
  workflowIds.billingCycle(subscriptionId, periodStart, again);

/** The header in which the id of the request that a call follows from travels. */
export const correlationHeader = "correlation-id";

/** Stripe's calls have a queue of their own, where their rate is limited. */
export const stripeQueueOf = (billingQueue: string) => `${billingQueue}-stripe`;

/** The closing of periods has a queue of its own, so that a month's end keeps nobody waiting who changes a plan. */
export const cyclesQueueOf = (billingQueue: string) => `${billingQueue}-cycles`;

/** A customer's test clock and the instant the message was sent at on it; null on the wall clock. */
export interface ClockReading {
  readonly clockId: string;
  readonly now: string;
  /** Still to be settled, carried over continue-as-new. */
  readonly tokens?: readonly string[];
}

/** With every message to a run on a test clock: when it was sent, and what keeps time still until it is settled. */
export interface Told {
  readonly at?: string;
  readonly token?: string;
}

// ── cycles, changes, money ────────────────────────────────────────────────────────────────────────────────────

export interface BillingCycleInput {
  readonly subscriptionId: string;
  readonly customerId: string;
  readonly periodStart: string;
  readonly periodEnd: string;
  readonly graceSeconds: number;
  /** Of late usage after the end: how often there was some before. */
  readonly again?: number;
  readonly clock: ClockReading | null;
}

export interface ProrationInput {
  readonly subscriptionId: string;
  readonly customerId: string;
  readonly changeId: string;
  readonly at: string;
  readonly change: SubscriptionChange;
  readonly clock: ClockReading | null;
}

export interface CollectionInput {
  readonly invoiceId: string;
  readonly customerId: string;
  readonly subscriptionId: string | null;
  readonly clock: ClockReading | null;
}

export interface RefundInput {
  readonly refundId: string;
  readonly customerId: string;
  readonly invoiceId: string;
  readonly clock: ClockReading | null;
}

export interface TopUpInput {
  readonly grantId: string;
  readonly customerId: string;
  readonly clock: ClockReading | null;
}

/** Issues the invoice of the credits that the grant's row asks for, and answers with its id. */
export const purchase = defineUpdate<{ readonly invoiceId: string }, [{ readonly at: string }]>("purchase");

export interface WithdrawCommand {
  /** Under which is written down who wants it, and why: words of people are not said to runs. */
  readonly requestId: string;
  readonly at: string;
}

/** Which invoice bills the period anew; null when none does. */
export interface WithdrawAnswer {
  readonly replacedBy: string | null;
}

export const withdraw = defineUpdate<WithdrawAnswer, [WithdrawCommand]>("withdraw");

/** Tax was given for the period that a run closes: look again. */
export const taxGiven = defineSignal<[Told]>("taxGiven");
/** Somebody wants the period closed now, without the rest of its grace. By whom and why is written down. */
export const finalise = defineSignal<[Told]>("finalise");

/** Something about this invoice changed at Stripe and has been booked: read its state again. */
export const invoiceChanged = defineSignal<[Told]>("invoiceChanged");
/** An operator looked at a parked step and wants it tried again. */
export const tryAgain = defineSignal<[]>("tryAgain");

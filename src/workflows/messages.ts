/**
 * What may be said to the workflows, and how each run is called. Messages carry ids, states and ISO times, never
 * amounts. Imported by the API, the activities and the workers too, so that names and shapes exist once.
 */
import { defineQuery, defineSignal, defineUpdate } from "@temporalio/workflow";
import type { SubscriptionStatus } from "../domain/lifecycle/index.ts";

export * from "./test-clock-messages.ts";

export const workflowIds = {
  subscription: (subscriptionId: string) => `subscription/${subscriptionId}`,
  billingCycle: (subscriptionId: string, periodStart: string) => `cycle/${subscriptionId}/${periodStart}`,
  proration: (subscriptionId: string, changeId: string) => `proration/${subscriptionId}/${changeId}`,
  collection: (invoiceId: string) => `collection/${invoiceId}`,
  dunning: (invoiceId: string) => `dunning/${invoiceId}`,
  withdrawal: (invoiceId: string) => `void/${invoiceId}`,
  topUp: (customerId: string, grantId: string) => `customer/${customerId}/top-up/${grantId}`,
  testClock: (clockId: string) => `clock/${clockId}`,
  cycleClose: "cycle-close",
} as const;

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

// ── subscription ──────────────────────────────────────────────────────────────────────────────────────────────

export interface SubscriptionInput {
  readonly subscriptionId: string;
  readonly customerId: string;
  readonly clock: ClockReading | null;
  /** Carried over continue-as-new; absent in a first run, which waits for `activate`. */
  readonly standing?: RunningSubscription;
}

/** Everything a subscription's run remembers: ids, states and instants; what was agreed is in the database. */
export interface RunningSubscription {
  readonly status: SubscriptionStatus;
  readonly cancelAt: string | null;
  readonly anchor: RunningAnchor;
  readonly graceSeconds: number;
  readonly periodIndex: number;
  readonly planKey: string;
  /** As the deployment said when it began, or since; absent: a `billingCycle` for each period, at once. */
  readonly closing?: ClosingPolicy;
  /** Requests already answered, newest last: an update id is only known within one run. */
  readonly answered: readonly { requestId: string; answer: ChangeAnswer }[];
}

/** Who closes the periods of a deployment's subscriptions. */
export interface ClosingPolicy {
  /** workflow: a `billingCycle` for each period. paged: the `cycleClose`, many at once. */
  readonly by: "workflow" | "paged";
  /** Over how long the closing of what is due at one instant is spread: see `closeDelaySeconds`. */
  readonly windowSeconds: number;
}

/** Where periods count from. */
export interface RunningAnchor {
  readonly at: string;
  readonly unit: "day" | "week" | "month" | "year";
  readonly count: number;
  readonly timeZone: string;
  /** Since when they do, where that is inside a period of the anchor: what is before it is not the subscription's. */
  readonly from?: string;
}

/** An anchor that came with a change. */
export interface BegunAnchor extends RunningAnchor {
  readonly from: string;
  /** Of the period that began with it, counted from the anchor. */
  readonly periodIndex: number;
}

interface Command {
  /** The caller's key for this request: the same one is answered with the same answer. */
  readonly requestId: string;
  /** When it takes effect, pinned between preview and commit. */
  readonly at: string;
}

export interface ActivateCommand extends Command {
  readonly items: readonly (WantedPlan & { seats: number })[];
}

/** A plan, and the name under which is written down what is agreed instead of its prices. */
interface WantedPlan {
  readonly planKey: string;
  readonly agreement?: string;
}

/** What a change says for itself, whatever the plan does. */
export interface ChangeOptions {
  readonly settle?: "now" | "next_invoice" | "none";
  /** Whether a new period begins with it. */
  readonly anchor?: "keep" | "reset";
  /** Names the lines that its preview came to: with others it is refused. */
  readonly quote?: string;
}

export interface ChangePlanCommand extends Command, ChangeOptions, WantedPlan {
  readonly seats?: number;
}
export interface ChangeQuantityCommand extends Command, ChangeOptions {
  readonly seats: number;
}
export interface AddAddOnCommand extends Command, ChangeOptions, WantedPlan {
  readonly seats: number;
}
export interface CancelCommand extends Command {
  readonly when: "now" | "period_end";
  /** What becomes of charges for time that is left when it ends now: given back, which is the default, or not. */
  readonly credit?: "unused" | "none";
  readonly quote?: string;
}
export type PauseCommand = Command & ChangeOptions;
export type ResumeCommand = Command & ChangeOptions;

export interface ActivateAnswer {
  readonly subscriptionId: string;
  readonly status: SubscriptionStatus;
  readonly periodStart: string;
  readonly periodEnd: string;
  readonly invoiceId: string | null;
}

export interface ChangeAnswer {
  readonly subscriptionId: string;
  readonly changeId: string;
  readonly status: SubscriptionStatus;
  /** When the change takes effect. */
  readonly effectiveAt: string;
  /** Issued for the change; null when nothing is owed, or when it goes on the invoice of the period about to close. */
  readonly invoiceId: string | null;
}

export const activate = defineUpdate<ActivateAnswer, [ActivateCommand]>("activate");
export const changePlan = defineUpdate<ChangeAnswer, [ChangePlanCommand]>("changePlan");
export const changeQuantity = defineUpdate<ChangeAnswer, [ChangeQuantityCommand]>("changeQuantity");
export const addAddOn = defineUpdate<ChangeAnswer, [AddAddOnCommand]>("addAddOn");
export const cancel = defineUpdate<ChangeAnswer, [CancelCommand]>("cancel");
export const pause = defineUpdate<ChangeAnswer, [PauseCommand]>("pause");
export const resume = defineUpdate<ChangeAnswer, [ResumeCommand]>("resume");

/** The deployment now closes periods otherwise; for all runs at once, as a batch. */
export const closingChanged = defineSignal<[ClosingPolicy]>("closingChanged");

/** Dunning tells the subscription that an invoice failed for good so far, or was paid after all. */
export const paymentStanding = defineSignal<[Told & { readonly pastDue: boolean }]>("paymentStanding");

export const standing = defineQuery<RunningSubscription | null>("standing");

// ── cycles, changes, money ────────────────────────────────────────────────────────────────────────────────────

export interface BillingCycleInput {
  readonly subscriptionId: string;
  readonly customerId: string;
  readonly periodStart: string;
  readonly periodEnd: string;
  readonly graceSeconds: number;
  readonly clock: ClockReading | null;
}

export type SubscriptionChange = ChangeOptions & ChangeOfTerms;

type ChangeOfTerms =
  | ({ readonly kind: "change_plan"; readonly seats?: number } & WantedPlan)
  | { readonly kind: "change_quantity"; readonly seats: number }
  | ({ readonly kind: "add_add_on"; readonly seats: number } & WantedPlan)
  | { readonly kind: "cancel"; readonly credit: "unused" | "none" }
  | { readonly kind: "pause" }
  | { readonly kind: "resume" };

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

export interface DunningInput extends CollectionInput {
  /** When the first attempt failed. */
  readonly startedAt: string;
  readonly lastDecline: "soft" | "hard" | "authentication";
}

export interface TopUpInput {
  readonly grantId: string;
  readonly customerId: string;
  readonly clock: ClockReading | null;
}

/** Issues the invoice of the credits that the grant's row asks for, and answers with its id. */
export const purchase = defineUpdate<{ readonly invoiceId: string }, [{ readonly at: string }]>("purchase");

export interface WithdrawCommand {
  readonly requestId: string;
  readonly at: string;
  readonly reasonCode: string;
  readonly reason: string | null;
  readonly voidedBy: string;
}

/** Which invoice bills the period anew; null when none does. */
export interface WithdrawAnswer {
  readonly replacedBy: string | null;
}

export const withdraw = defineUpdate<WithdrawAnswer, [WithdrawCommand]>("withdraw");

/** Something about this invoice changed at Stripe and has been booked: read its state again. */
export const invoiceChanged = defineSignal<[Told]>("invoiceChanged");
/** The customer has a new payment method on file. */
export const paymentMethodUpdated = defineSignal<[Told]>("paymentMethodUpdated");
/** An operator looked at a parked step and wants it tried again. */
export const tryAgain = defineSignal<[]>("tryAgain");

/** What may be said to the run of a subscription, and what it remembers. */
import { defineQuery, defineSignal, defineUpdate } from "@temporalio/workflow";
import type { ChangeTime, SubscriptionStatus, TrialEndAction } from "../domain/lifecycle/index.ts";
import type { ClockReading, Told } from "./messages.ts";

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
  /** When the next change that is agreed for later is to be made. */
  readonly dueAt?: string | null;
  /** The invoice that has to be paid before it begins, and until when; absent once it has begun. */
  readonly firstPayment?: { readonly invoiceId: string; readonly until: string } | null;
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
  /** What is said about the beginning, whatever the plan does. */
  readonly start?: StartChoices;
}

/** What may be said about the beginning of a subscription, whatever its plan does. */
export interface StartChoices {
  /** From when on it is to have run: what was before is billed as its periods close. */
  readonly startAt?: string;
  /** Until when it was billed elsewhere: nothing before that is charged. */
  readonly billedThrough?: string;
  /** Whether what is left of the period in course is charged in advance. */
  readonly firstCharge?: "prorated" | "none";
  /** "none": what the plan says of a trial is left out. */
  readonly trial?: "plan" | "none";
  /** What follows the trial of a customer without a payment method. */
  readonly trialWithoutPaymentMethod?: TrialEndAction;
  readonly paymentMethod?: "required" | "optional";
  /** The subscription begins when its first invoice is paid, within so many seconds. */
  readonly payWithinSeconds?: number;
  /** The subscription that ended, and that this one goes on from. */
  readonly reactivates?: string;
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

/** When a change is to be made; now, when left out. What comes later is written down, and can be withdrawn. */
interface Timed {
  readonly when?: ChangeTime;
}

export interface ChangePlanCommand extends Command, ChangeOptions, WantedPlan, Timed {
  readonly seats?: number;
}
export interface ChangeQuantityCommand extends Command, ChangeOptions, Timed {
  readonly seats: number;
}
export interface AddAddOnCommand extends Command, ChangeOptions, WantedPlan, Timed {
  readonly seats: number;
}
export interface RemoveAddOnCommand extends Command, ChangeOptions, Timed {
  readonly planKey: string;
}
/**
 * What becomes of charges for time that is left when it ends inside a period: given back to the customer's balance, which is the
 * default, to where it was paid from, or not.
 */
export type UnusedCharges = "unused" | "refund" | "none";

export interface CancelCommand extends Command {
  readonly when: ChangeTime;
  readonly credit?: UnusedCharges;
  readonly quote?: string;
}
export type PauseCommand = Command & ChangeOptions & Timed & PauseChoices;
export type ResumeCommand = Command & ChangeOptions & Timed;
export type EndTrialCommand = Command & ChangeOptions;
export type UncancelCommand = Command;
export interface WithdrawScheduledCommand extends Command {
  readonly changeId: string;
}

export interface PauseChoices {
  /** Whether usage in the pause is billed, which is the default, or there is no access. */
  readonly usage?: "billed" | "refused";
  /** When the pause ends by itself. */
  readonly resumesAt?: string;
  /** Whether a new period begins then. */
  readonly resumeAnchor?: "keep" | "reset";
}

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
  /** The id under which a change that is made later can be withdrawn. */
  readonly scheduled?: string;
  /** Issued for the change; null when nothing is owed, or when it goes on the invoice of the period about to close. */
  readonly invoiceId: string | null;
}

export const activate = defineUpdate<ActivateAnswer, [ActivateCommand]>("activate");
export const changePlan = defineUpdate<ChangeAnswer, [ChangePlanCommand]>("changePlan");
export const changeQuantity = defineUpdate<ChangeAnswer, [ChangeQuantityCommand]>("changeQuantity");
export const addAddOn = defineUpdate<ChangeAnswer, [AddAddOnCommand]>("addAddOn");
export const cancel = defineUpdate<ChangeAnswer, [CancelCommand]>("cancel");
export const removeAddOn = defineUpdate<ChangeAnswer, [RemoveAddOnCommand]>("removeAddOn");
export const endTrial = defineUpdate<ChangeAnswer, [EndTrialCommand]>("endTrial");
export const uncancel = defineUpdate<ChangeAnswer, [UncancelCommand]>("uncancel");
export const withdrawScheduled = defineUpdate<ChangeAnswer, [WithdrawScheduledCommand]>("withdrawScheduled");
export const pause = defineUpdate<ChangeAnswer, [PauseCommand]>("pause");
export const resume = defineUpdate<ChangeAnswer, [ResumeCommand]>("resume");

/** The deployment now closes periods otherwise; for all runs at once, as a batch. */
export const closingChanged = defineSignal<[ClosingPolicy]>("closingChanged");

/** Dunning tells the subscription that an invoice failed for good so far, or was paid after all. */
export const paymentStanding = defineSignal<[Told & { readonly pastDue: boolean }]>("paymentStanding");

export const standing = defineQuery<RunningSubscription | null>("standing");

export type SubscriptionChange = ChangeOptions & ChangeOfTerms;

type ChangeOfTerms =
  | ({ readonly kind: "change_plan"; readonly seats?: number } & WantedPlan)
  | { readonly kind: "change_quantity"; readonly seats: number }
  | ({ readonly kind: "add_add_on"; readonly seats: number } & WantedPlan)
  | { readonly kind: "remove_add_on"; readonly planKey: string }
  | { readonly kind: "cancel"; readonly credit: UnusedCharges }
  | ({ readonly kind: "pause" } & PauseChoices)
  | { readonly kind: "resume" }
  | { readonly kind: "end_trial" };

/** How a subscription stands once a change has been made by others than its run. */
export interface SubscriptionSoFar {
  readonly status: SubscriptionStatus;
  readonly planKey: string;
  readonly cancelAt: string | null;
  readonly dueAt: string | null;
  /** Where periods count from since, when that changed. */
  readonly anchor?: BegunAnchor;
}

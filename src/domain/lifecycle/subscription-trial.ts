import type { SubscriptionStatus } from "./subscription-table.ts";

/** What follows a trial. */
export type TrialEndAction = "convert" | "cancel" | "pause";

/** What was agreed about a trial when it began. */
export interface TrialTerms {
  readonly endAction: TrialEndAction;
  /** What follows for a customer who has no payment method by then; the same when left out. */
  readonly withoutPaymentMethod?: TrialEndAction;
  /** Whether billing periods count from the trial's start or from its end. */
  readonly anchor: "trial_start" | "trial_end";
}

/** What follows a trial for this customer. */
export function trialOutcome(
  { endAction, withoutPaymentMethod = endAction }: TrialTerms,
  hasPaymentMethod: boolean,
): TrialEndAction {
  return hasPaymentMethod ? endAction : withoutPaymentMethod;
}

/** The state after a trial. */
export const statusAfterTrial: Readonly<Record<TrialEndAction, SubscriptionStatus>> = {
  convert: "active",
  cancel: "canceled",
  pause: "paused",
};

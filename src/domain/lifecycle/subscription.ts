import { BillingError } from "../errors.ts";

/**
 * The life of a subscription:
 *
 *     active ⇄ past_due      an invoice failed, dunning is at work; recovered
 *     active ⇄ paused        nothing is charged in advance while paused
 *     any    → canceled      terminal
 *
 * A cancellation may be agreed for a later instant (`cancelAt`); until then the status stays what it is.
 */
export type SubscriptionStatus = "active" | "past_due" | "paused" | "canceled";

/** What a running subscription remembers to decide whether a command is legal. Instants are ISO texts: it travels in messages. */
export interface SubscriptionStanding {
  readonly status: SubscriptionStatus;
  readonly cancelAt: string | null;
  /** Start of the period in course: a command cannot be dated before it. */
  readonly periodStart: string;
  readonly periodEnd: string;
}

export type SubscriptionCommandKind =
  | "change_plan"
  | "change_quantity"
  | "add_add_on"
  | "cancel"
  | "pause"
  | "resume";

export interface SubscriptionCommandFacts {
  readonly kind: SubscriptionCommandKind;
  /** When it takes effect, pinned by the caller. */
  readonly at: string;
}

/** A command that the subscription's state does not allow. Nothing was changed. */
export class SubscriptionRefusal extends BillingError {
  readonly code: SubscriptionRefusalCode;

  constructor(code: SubscriptionRefusalCode, message: string, field?: string) {
    super(message, field);
    this.code = code;
  }
}

export type SubscriptionRefusalCode =
  | "subscription_canceled"
  | "subscription_already_canceling"
  | "subscription_paused"
  | "subscription_not_paused"
  | "subscription_change_backdated";

/**
 * Refuses what the state does not allow; answers nothing when the command may go ahead.
 *
 * @throws SubscriptionRefusal with a stable code and what to do instead
 */
export function admitCommand(standing: SubscriptionStanding, command: SubscriptionCommandFacts): void {
  const { status, cancelAt, periodStart } = standing;
  if (status === "canceled") {
    throw new SubscriptionRefusal("subscription_canceled", "the subscription is canceled; open a new one");
  }
  if (Date.parse(command.at) < Date.parse(periodStart)) {
    throw new SubscriptionRefusal(
      "subscription_change_backdated",
      `a change cannot be dated ${command.at}, before the period in course, which began ${periodStart}`,
      "at",
    );
  }
  if (command.kind === "cancel" && cancelAt !== null) {
    throw new SubscriptionRefusal(
      "subscription_already_canceling",
      `the subscription is already canceled as of ${cancelAt}; nothing more is needed`,
    );
  }
  if (command.kind === "resume" && status !== "paused") {
    throw new SubscriptionRefusal("subscription_not_paused", "the subscription is not paused");
  }
  if (status === "paused" && command.kind !== "resume" && command.kind !== "cancel") {
    throw new SubscriptionRefusal(
      "subscription_paused",
      "the subscription is paused; resume it before changing it",
    );
  }
}

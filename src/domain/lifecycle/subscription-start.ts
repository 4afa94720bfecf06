import { type Instant, isoOf } from "../calendar/index.ts";
import { BillingError } from "../errors.ts";

/** A subscription cannot begin as it was asked to. Nothing was done. */
export class SubscriptionStartRefusal extends BillingError {
  readonly code: SubscriptionStartRefusalCode;

  constructor(code: SubscriptionStartRefusalCode, message: string, field: string) {
    super(message, field);
    this.code = code;
  }
}

export type SubscriptionStartRefusalCode =
  | "subscription_start_ahead"
  | "subscription_start_too_early"
  | "subscription_billed_through_invalid"
  | "payment_method_missing"
  | "activation_expiry_invalid";

export interface WantedStart {
  /** When it is asked for. */
  readonly at: Instant;
  /** From when on it is to have run; now when left out. */
  readonly startAt?: Instant;
  /** Until when it was billed elsewhere: nothing before that is charged. */
  readonly billedThrough?: Instant;
}

/** How long ago a subscription may have begun: a period of a year, billed when it closes. */
export const backdatedDaysMax = 366;

/**
 * From when on a subscription is billed: from its start, or from where another system left off.
 * @throws SubscriptionStartRefusal
 */
export function billedFrom({ at, startAt = at, billedThrough = startAt }: WantedStart): Instant {
  if (startAt > at) {
    const message = `${isoOf(startAt)} is still ahead of ${isoOf(at)}: subscribe when it has come`;
    throw new SubscriptionStartRefusal("subscription_start_ahead", message, "start_at");
  }
  if (billedThrough < startAt || billedThrough > at) {
    const message = `must lie between the start and now: ${isoOf(startAt)} to ${isoOf(at)}`;
    throw new SubscriptionStartRefusal("subscription_billed_through_invalid", message, "billed_through");
  }
  if (at - billedThrough > backdatedDaysMax * 86_400_000) {
    const message = `at most ${backdatedDaysMax} days can be billed after the fact`;
    throw new SubscriptionStartRefusal("subscription_start_too_early", message, "start_at");
  }
  return billedThrough;
}

/** How long a first invoice may be paid before the subscription is given up. */
export const activationSeconds = { min: 60, usual: 86_400, max: 7 * 86_400 } as const;

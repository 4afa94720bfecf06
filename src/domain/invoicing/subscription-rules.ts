import { BillingError } from "../errors.ts";

/** A rule does not allow what was asked of a subscription. */
export class SubscriptionRuleError extends BillingError {
  readonly code: SubscriptionRuleCode;

  constructor(code: SubscriptionRuleCode, message: string, field?: string) {
    super(message, field);
    this.code = code;
  }
}

export type SubscriptionRuleCode =
  | "trial_refused"
  | "customer_not_found"
  | "subscription_not_found"
  | "subscription_exists"
  | "plan_not_found"
  | "plan_currency_differs"
  | "plan_interval_differs"
  | "plan_already_subscribed"
  | "meter_already_billed"
  | "seats_invalid"
  | "price_override_invalid"
  | "items_missing"
  | "change_quote_outdated"
  | "subscription_canceling"
  | "subscription_not_canceled"
  | "add_on_not_found"
  | "plan_required"
  | "scheduled_change_not_found"
  | "scheduled_change_resolved"
  | "scheduled_change_fixed"
  | "too_many_scheduled_changes"
  | "tax_missing";

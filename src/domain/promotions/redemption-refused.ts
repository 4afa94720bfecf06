import { BillingError } from "../errors.ts";

/** Why a coupon cannot be redeemed, by the code with which the database refuses it. */
export const redemptionRefusals = {
  coupon_not_in_force: "the coupon has not begun, or is over",
  coupon_redeemed_already: "the customer has redeemed it as often as may be",
  coupon_not_stackable: "it cannot be had together with another coupon of this customer",
  coupon_plan_missing: "the customer has no subscription on a plan that it is for",
  coupon_used_up: "it was redeemed as often as may be",
  campaign_budget_spent: "what its campaign may give away is given",
} as const;

export type RedemptionRefusal = keyof typeof redemptionRefusals;

export const isRedemptionRefusal = (text: string): text is RedemptionRefusal => text in redemptionRefusals;

/** A coupon that is not redeemed: nothing was written down. */
export class RedemptionRefusedError extends BillingError {
  readonly code: RedemptionRefusal;

  constructor(code: RedemptionRefusal) {
    super(redemptionRefusals[code]);
    this.code = code;
  }
}

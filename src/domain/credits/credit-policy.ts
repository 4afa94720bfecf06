import type { BurnOrder } from "./burn-order.ts";

/**
 * Where vendors differ in how credit pays for usage.
 *
 * burnOrder: which grant is spent first.
 * earlierUsage: whether a grant pays for usage from before it took effect. same_period: of the billing period in which it
 *   takes effect; none: of none; unbilled: of whatever is not billed yet.
 * giveBack: what comes back first when less is owed than was billed: credits_first or money_first.
 * whenEnded: what becomes of credit that would go back to a grant that has expired or was voided. paid_to_balance: what was
 *   paid for goes to the customer's balance, what was given is gone; all_to_balance: both go there.
 */
export type CreditPolicy = {
  readonly burnOrder: BurnOrder;
  readonly earlierUsage: EarlierUsage;
  readonly giveBack: "credits_first" | "money_first";
  readonly whenEnded: "paid_to_balance" | "all_to_balance";
};

export const earlierUsages = ["same_period", "none", "unbilled"] as const;
export type EarlierUsage = (typeof earlierUsages)[number];

export const usualCreditPolicy: CreditPolicy = {
  burnOrder: "priority_first",
  earlierUsage: "same_period",
  giveBack: "credits_first",
  whenEnded: "paid_to_balance",
};

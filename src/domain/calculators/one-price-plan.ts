import type { BillingInterval } from "../calendar/index.ts";
import type { PlanVersion, ProrationPolicy } from "../catalog/index.ts";
import { defaultDunningTerms } from "../lifecycle/index.ts";
import type { Money } from "../money/index.ts";

/** A plan with nothing but a fee in advance, for questions about amounts that no catalog has. */
export function onePricePlan(
  amount: Money,
  {
    version,
    interval,
    proration,
  }: { version: number; interval: BillingInterval; proration: ProrationPolicy },
): PlanVersion {
  return {
    key: "plan",
    version,
    name: "Plan",
    currency: amount.currency,
    interval,
    graceSeconds: 0,
    dunning: defaultDunningTerms,
    prices: [
      {
        type: "flat",
        key: "fee",
        name: "fee",
        product: "plan",
        timing: "in_advance",
        amountMinor: amount.amountMinor.toString(),
      },
    ],
    proration,
  };
}

import { z } from "zod";
import { type BurnOrder, burnOrders, earlierUsages, usualCreditPolicy } from "../credits/index.ts";

/** How credit pays for a plan's usage; what is left out is as usual. */
export const credits = z.strictObject({
  burnOrder: z.enum(Object.keys(burnOrders) as BurnOrder[]).default(usualCreditPolicy.burnOrder),
  earlierUsage: z.enum(earlierUsages).default(usualCreditPolicy.earlierUsage),
  giveBack: z.enum(["credits_first", "money_first"]).default(usualCreditPolicy.giveBack),
  whenEnded: z.enum(["paid_to_balance", "all_to_balance"]).default(usualCreditPolicy.whenEnded),
});

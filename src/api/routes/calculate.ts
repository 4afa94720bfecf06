import type { ApiInstance } from "../api-instance.ts";
import { calculateAggregationRoute } from "./calculate-aggregation.ts";
import { calculateCreditBurnDownRoute } from "./calculate-credit-burn-down.ts";
import { calculateDunningScheduleRoute } from "./calculate-dunning-schedule.ts";
import { calculateInvoiceTotalRoute } from "./calculate-invoice-total.ts";
import { calculateMoneyRoute } from "./calculate-money.ts";
import { calculatePeriodsRoute } from "./calculate-periods.ts";
import { calculatePriceRoute } from "./calculate-price.ts";
import { calculateProrationRoute } from "./calculate-proration.ts";

/** Calculators: the domain's own functions, asked with nothing but what a request says. */
export function calculateRoutes(api: ApiInstance): void {
  calculatePriceRoute(api);
  calculateInvoiceTotalRoute(api);
  calculateProrationRoute(api);
  calculatePeriodsRoute(api);
  calculateCreditBurnDownRoute(api);
  calculateAggregationRoute(api);
  calculateDunningScheduleRoute(api);
  calculateMoneyRoute(api);
}

import type { ApiInstance } from "../api-instance.ts";
import { calculateAggregationRoute } from "./calculate-aggregation.ts";
import { calculateDunningScheduleRoute } from "./calculate-dunning-schedule.ts";
import { calculateMoneyRoute } from "./calculate-money.ts";
import { calculatePeriodsRoute } from "./calculate-periods.ts";

/** Calculators: the domain's own functions, asked with nothing but what a request says. */
export function calculateRoutes(api: ApiInstance): void {
  calculatePeriodsRoute(api);
  calculateAggregationRoute(api);
  calculateDunningScheduleRoute(api);
  calculateMoneyRoute(api);
}

export * from "./aggregation.ts";
export * from "./credit-burn-down.ts";
export * from "./dunning-schedule.ts";
export type { DunningState } from "./dunning-states.ts";
export * from "./invoice-total.ts";
export * from "./money.ts";
export * from "./periods.ts";
export * from "./price.ts";
export * from "./proration.ts";

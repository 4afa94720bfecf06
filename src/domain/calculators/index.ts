export * from "./aggregation.ts";
export * from "./dunning-schedule.ts";
export * from "./money.ts";
export * from "./periods.ts";

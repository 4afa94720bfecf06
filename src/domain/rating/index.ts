export * from "./rate-usage.ts";
export type { RatedAmount, RatedTier } from "./rated-amount.ts";
export type * from "./usage-measure.ts";

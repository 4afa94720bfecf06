export * from "./charge-minimum.ts";
export * from "./close-period.ts";
export * from "./invoice-entries.ts";
export * from "./invoice-line.ts";
export * from "./invoice-totals.ts";
export * from "./terms.ts";
export * from "./time-charges.ts";
export * from "./usage-charges.ts";

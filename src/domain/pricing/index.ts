export * from "./adjust-charges.ts";
export * from "./charge.ts";
export * from "./resolve-prices.ts";

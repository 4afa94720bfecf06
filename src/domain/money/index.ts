export * from "./allocate.ts";
export * from "./currency.ts";
export * from "./decimal.ts";
export * from "./fraction.ts";
export * from "./ledger-amount.ts";
export * from "./minor-unit.ts";
export * from "./money.ts";
export * from "./round-together.ts";

export * from "./alert.ts";
export * from "./credit-left.ts";
export * from "./turn.ts";

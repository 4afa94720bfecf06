export * from "./cost.ts";
export * from "./decide.ts";
export * from "./limit-state.ts";
export * from "./limit-window.ts";
export * from "./merge.ts";
export * from "./payment.ts";
export * from "./source.ts";

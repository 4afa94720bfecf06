export * from "./charged-time.ts";
export * from "./measure.ts";
export * from "./prorate.ts";

export * from "./adjustment.ts";
export * from "./adjustment-entry.ts";
export * from "./obstacle.ts";

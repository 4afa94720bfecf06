export * from "./dunning.ts";
export * from "./subscription.ts";

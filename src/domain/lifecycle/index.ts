export * from "./close-window.ts";
export * from "./dunning.ts";
export * from "./subscription.ts";

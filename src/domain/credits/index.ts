export * from "./burn.ts";
export * from "./credit-grant.ts";

export * from "./redemption-refused.ts";

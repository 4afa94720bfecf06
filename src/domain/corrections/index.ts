export * from "./backfill.ts";
export * from "./usage-correction.ts";

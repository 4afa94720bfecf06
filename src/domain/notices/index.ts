export * from "./ahead.ts";
export * from "./endpoint.ts";
export * from "./kinds.ts";
export * from "./mail/index.ts";
export * from "./notice.ts";
export * from "./retries.ts";

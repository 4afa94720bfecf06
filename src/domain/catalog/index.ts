export type { BillingInterval } from "../calendar/index.ts";
export type { Meter } from "../metering/index.ts";
export type { CatalogIssue } from "./checks.ts";
export * from "./parse.ts";
export * from "./plan.ts";
export * from "./versions.ts";

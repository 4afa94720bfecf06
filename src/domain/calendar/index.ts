export type { AnchorRule } from "./anchor-rule.ts";
export * from "./billing-anchor.ts";
export * from "./instant.ts";
export * from "./period.ts";
export {
  addDuration,
  type CalendarDuration,
  DurationInvalidError,
  TimeZoneUnknownError,
  timeZone,
} from "./time-zone.ts";

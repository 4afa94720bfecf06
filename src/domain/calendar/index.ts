export * from "./agreed-anchor.ts";
export * from "./anchor-rule.ts";
export * from "./billing-anchor.ts";
export * from "./calendar-anchor.ts";
export * from "./day-count.ts";
export * from "./instant.ts";
export * from "./period.ts";
export * from "./period-index.ts";
export {
  addDuration,
  type CalendarDuration,
  DurationInvalidError,
  TimeZoneUnknownError,
  timeZone,
} from "./time-zone.ts";

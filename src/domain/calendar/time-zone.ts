import { Temporal } from "temporal-polyfill";
import { BillingError } from "../errors.ts";
import { type Instant, instantOfEpochMs } from "./instant.ts";

/** A length of time on a calendar: a day may have 23 or 25 hours. */
export type CalendarDuration = {
  readonly years?: number;
  readonly months?: number;
  readonly weeks?: number;
  readonly days?: number;
  readonly hours?: number;
  readonly minutes?: number;
  readonly seconds?: number;
  readonly milliseconds?: number;
};

export class DurationInvalidError extends BillingError {
  readonly code = "duration_invalid";
}

export class TimeZoneUnknownError extends BillingError {
  readonly code = "time_zone_unknown";
}

/** @throws TimeZoneUnknownError unless `name` is an IANA time zone such as "Europe/Berlin" or "UTC" */
export function timeZone(name: string, field?: string): string {
  localTime(instantOfEpochMs(0), name, field);
  return name;
}

/**
 * `at` plus a duration reckoned on the clock of `zone`; a negative duration goes back.
 * @throws DurationInvalidError for parts that are not whole or lead out of the calendar
 */
export function addDuration(at: Instant, duration: CalendarDuration, zone: string): Instant {
  const local = localTime(at, zone);
  try {
    return instantOfEpochMs(local.add(duration).epochMilliseconds);
  } catch {
    throw new DurationInvalidError(`${JSON.stringify(duration)} is not a duration that can be added`);
  }
}

/** The local date and clock time of an instant. */
export function localTime(at: Instant, zone: string, field?: string): Temporal.ZonedDateTime {
  // Temporal would also take offsets and whole timestamps as zone names.
  if (typeof zone !== "string" || !/^[A-Za-z][A-Za-z0-9_+\-/]*$/.test(zone)) throw unknownZone(zone, field);
  try {
    return Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone);
  } catch {
    throw unknownZone(zone, field);
  }
}

function unknownZone(zone: unknown, field?: string): TimeZoneUnknownError {
  return new TimeZoneUnknownError(
    `${JSON.stringify(zone)} is not a time zone: write an IANA name such as "Europe/Berlin" or "UTC"`,
    field,
  );
}

import { customType } from "drizzle-orm/pg-core";
import { type Instant, instantOfEpochMs } from "../../domain/calendar/index.ts";

/** timestamptz as an Instant: milliseconds, in UTC, never a Date that can be changed. */
export const instantColumn = customType<{ data: Instant; driverData: string }>({
  dataType: () => "timestamptz",
  toDriver: (value) => new Date(value).toISOString(),
  fromDriver: parseTimestamp,
});

/** Reads what the database writes: `2026-01-31 00:00:00.123456+00`. */
export function parseTimestamp(text: string): Instant {
  return instantOfEpochMs(Date.parse(text));
}

/** `pg_snapshot` as text: which transactions a run has seen. */
export const snapshotColumn = customType<{ data: string }>({ dataType: () => "pg_snapshot" });

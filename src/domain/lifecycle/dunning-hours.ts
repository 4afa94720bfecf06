import type { Instant } from "../calendar/index.ts";
import { instantOfEpochMs } from "../calendar/index.ts";
import { localTime } from "../calendar/time-zone.ts";
import type { QuietHours } from "./dunning-policy.ts";

/** Whether it is quiet at an instant, by the clocks of `zone`. */
export function isQuiet({ from, to }: QuietHours, at: Instant, zone: string): boolean {
  const local = localTime(at, zone);
  const minute = local.hour * 60 + local.minute;
  return from < to ? minute >= from && minute < to : minute >= from || minute < to;
}

/** The instant itself, or the end of the quiet hours that it lies in. */
export function afterQuietHours(quiet: QuietHours, at: Instant, zone: string): Instant {
  let moved = at;
  // Where a clock is put back over their end it is quiet a second time.
  while (isQuiet(quiet, moved, zone)) moved = nextTimeOfDay(moved, quiet.to, zone);
  return moved;
}

/** The instant itself when the clocks of `zone` show this hour then, or else the next time that it begins. */
export function atHour(hour: number, at: Instant, zone: string): Instant {
  return localTime(at, zone).hour === hour ? at : nextTimeOfDay(at, hour * 60, zone);
}

/** The first instant after `at` at which the clocks of `zone` show this minute of the day, or have just passed over it. */
function nextTimeOfDay(at: Instant, minute: number, zone: string): Instant {
  const local = localTime(at, zone);
  const time = { hour: Math.floor(minute / 60), minute: minute % 60 };
  for (let days = 0; days <= 2; days += 1) {
    const there = local.toPlainDate().add({ days }).toPlainDateTime(time);
    for (const disambiguation of ["earlier", "later"] as const) {
      const reached = there.toZonedDateTime(zone, { disambiguation }).epochMilliseconds;
      // Of a time that is left out, "earlier" is an hour before the gap: what is meant is behind it.
      if (reached > at && isShownOrPassed(reached, there.toString(), zone)) return instantOfEpochMs(reached);
    }
  }
  throw new RangeError(`the clocks of ${zone} show every minute within two days`);
}

function isShownOrPassed(epochMs: number, wanted: string, zone: string): boolean {
  return localTime(instantOfEpochMs(epochMs), zone).toPlainDateTime().toString() >= wanted;
}

/**
 * The hour of the day at which most payments succeeded, 0 to 23, by the clocks of `zone`: of several the earliest; null
 * when there was none.
 */
export function hourOfMostPayments(paidAt: readonly Instant[], zone: string): number | null {
  const counts = new Map<number, number>();
  for (const at of paidAt) {
    const { hour } = localTime(at, zone);
    counts.set(hour, (counts.get(hour) ?? 0) + 1);
  }
  const [best] = [...counts].toSorted(([hour, count], [other, most]) => most - count || hour - other);
  return best?.[0] ?? null;
}

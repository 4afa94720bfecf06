import type { Temporal } from "temporal-polyfill";
import type { Instant } from "./instant.ts";
import { localTime } from "./time-zone.ts";

/** From the local date of `from` to that of `to`: midnights passed, whatever the hours of the days. */
export function civilDays(from: Instant, to: Instant, zone: string): number {
  return localDate(from, zone).until(localDate(to, zone), { largestUnit: "day" }).days;
}

/**
 * From the local date of `from` to that of `to` where every month counts thirty days: the 31st counts as the 30th, and so
 * does the last day of February (the convention 30E/360 ISDA).
 */
export function daysOf30(from: Instant, to: Instant, zone: string): number {
  const [start, end] = [localDate(from, zone), localDate(to, zone)];
  return 360 * (end.year - start.year) + 30 * (end.month - start.month) + dayOf30(end) - dayOf30(start);
}

function dayOf30({ day, daysInMonth }: Temporal.PlainDate): number {
  return day === daysInMonth ? 30 : day;
}

function localDate(at: Instant, zone: string): Temporal.PlainDate {
  return localTime(at, zone).toPlainDate();
}

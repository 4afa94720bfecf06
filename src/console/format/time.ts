import { locale } from "./amount.ts";

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = JSON.stringify([timeZone, options]);
  const format = formats.get(key) ?? new Intl.DateTimeFormat(locale, { ...options, timeZone });
  formats.set(key, format);
  return format;
}

const day = { day: "numeric", month: "short", year: "numeric" } as const;
const dayAndTime = { ...day, hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;

/** "Jan 31, 2026", as the calendar of the time zone has it. */
export const formatDay = (at: string, timeZone: string): string =>
  formatOf(timeZone, day).format(new Date(at));

/** "Jan 31, 2026, 09:30". */
export const formatTime = (at: string, timeZone: string): string =>
  formatOf(timeZone, dayAndTime).format(new Date(at));

/** "Jan 1 – Feb 1, 2026": from the first instant up to, and without, the last. */
export function formatPeriod(period: { start: string; end: string }, timeZone: string): string {
  return formatOf(timeZone, day)
    .formatRange(new Date(period.start), new Date(period.end))
    .replaceAll(/\s/g, " ");
}

/** The UTC day of an instant, "2026-01-31". */
export const utcDay = (at: string): string => new Date(at).toISOString().slice(0, 10);

/** "Jan 31", for the axis of a chart by UTC days. */
export const formatUtcDay = (at: string): string =>
  formatOf("UTC", { day: "numeric", month: "short" }).format(new Date(at));

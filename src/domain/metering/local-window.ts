import type { Temporal } from "temporal-polyfill";
import { type Instant, instantOfEpochMs, type Period } from "../calendar/index.ts";
import { localTime } from "../calendar/time-zone.ts";
import { invariant } from "../errors.ts";

export const windowSizes = ["minute", "hour", "day"] as const;

export type WindowSize = (typeof windowSizes)[number];

/** Which time zone a customer's windows follow since when, the oldest first; the first one also holds before. */
export type ZoneHistory = readonly { readonly since: Instant; readonly zone: string }[];

/**
 * The window on a customer's clock that `at` lies in: a minute, an hour or a calendar day of `zone`. Windows follow one
 * another without gap or overlap whatever the clock does:
 * - a day begins when its date first does, and has 23, 24 or 25 hours, or what else the zone says;
 * - an hour that the clock shows twice is two windows, and one in which the clock is changed ends there;
 * - where the zone itself changes, the window ends and one on the new clock begins.
 * @throws TimeZoneUnknownError
 */
export function windowOf(at: Instant, size: WindowSize, zone: string | ZoneHistory): Period {
  if (typeof zone !== "string") return windowInHistory(at, size, zone);
  return size === "day" ? dayOf(at, zone) : partOfDay(at, lengthsMs[size], zone);
}

/** The windows that a period touches, whole, from the first to the last. */
export function* windowsOf(
  { start, end }: Period,
  size: WindowSize,
  zone: string | ZoneHistory,
): Generator<Period> {
  for (let at = start; at < end; ) {
    const window = windowOf(at, size, zone);
    yield window;
    at = window.end;
  }
}

/** A period as one stretch of whole windows, null when it holds none, and the pieces of windows at its ends. */
export function splitByWindows(
  period: Period,
  size: WindowSize,
  zone: string | ZoneHistory,
): { readonly whole: Period | null; readonly pieces: readonly Period[] } {
  const { start, end } = period;
  const first = windowOf(start, size, zone);
  const wholeStart = first.start === start ? start : first.end;
  const wholeEnd = windowOf(end, size, zone).start;
  if (wholeStart >= wholeEnd) return { whole: null, pieces: [period] };
  const pieces = [
    { start, end: wholeStart },
    { start: wholeEnd, end },
  ];
  return {
    whole: { start: wholeStart, end: wholeEnd },
    pieces: pieces.filter((piece) => piece.start < piece.end),
  };
}

const dayMs = 86_400_000;
const lengthsMs = { minute: 60_000, hour: 3_600_000 } as const;

function windowInHistory(at: Instant, size: WindowSize, history: ZoneHistory): Period {
  const index = Math.max(
    0,
    history.findLastIndex(({ since }) => since <= at),
  );
  const current = history[index];
  invariant(current !== undefined, "a history of zones has at least one");
  const { start, end } = windowOf(at, size, current.zone);
  const next = history[index + 1];
  return {
    start: index > 0 && start < current.since ? current.since : start,
    end: next !== undefined && end > next.since ? next.since : end,
  };
}

function partOfDay(at: Instant, lengthMs: number, zone: string): Period {
  const { offsetMs, from, until } = offsetAt(at, zone);
  const start = Math.floor((at + offsetMs) / lengthMs) * lengthMs - offsetMs;
  return {
    start: instantOfEpochMs(Math.max(start, from)),
    end: instantOfEpochMs(Math.min(start + lengthMs, until)),
  };
}

function dayOf(at: Instant, zone: string): Period {
  const { offsetMs, from, until } = offsetAt(at, zone);
  const start = Math.floor((at + offsetMs) / dayMs) * dayMs - offsetMs;
  // No change of the clock in this day or at its end, and none before by which its date could have begun twice.
  if (from <= start - dayMs && start + dayMs < until) {
    return { start: instantOfEpochMs(start), end: instantOfEpochMs(start + dayMs) };
  }
  const date = localTime(at, zone).toPlainDate();
  const end = midnight(date.add({ days: 1 }), zone);
  if (at < end) return { start: midnight(date, zone), end };
  // The clock went back over midnight: the date before comes again, in what has begun as the next day.
  return { start: end, end: midnight(date.add({ days: 2 }), zone) };
}

/** When a date begins; where it never does, when the one after it begins. */
function midnight(date: Temporal.PlainDate, zone: string): Instant {
  return instantOfEpochMs(date.toZonedDateTime(zone).epochMilliseconds);
}

/** How far a zone's clock is ahead of UTC, and in which stretch of time: `from` included, `until` not. */
type Offset = { readonly offsetMs: number; readonly from: number; readonly until: number };

// Almost all usage is of this half year: asking the calendar for each event would take longer than all the rest.
const latestOffsets = new Map<string, Offset>();

function offsetAt(at: Instant, zone: string): Offset {
  const known = latestOffsets.get(zone);
  if (known !== undefined && known.from <= at && at < known.until) return known;
  const local = localTime(at, zone);
  const next = local.getTimeZoneTransition("next")?.epochMilliseconds ?? Number.POSITIVE_INFINITY;
  // "previous" means before: one millisecond later, a change at this very instant is found too.
  const change = local.add({ milliseconds: 1 }).getTimeZoneTransition("previous")?.epochMilliseconds;
  const from = change ?? Number.NEGATIVE_INFINITY;
  const found = { offsetMs: local.offsetNanoseconds / 1e6, from, until: next };
  latestOffsets.set(zone, found);
  return found;
}

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  contains,
  instant,
  instantOfEpochMs,
  isoOf,
  lengthMs,
  type Period,
} from "../../../src/domain/calendar/index.ts";
import { localTime } from "../../../src/domain/calendar/time-zone.ts";
import {
  splitByWindows,
  windowOf,
  windowSizes,
  windowsOf,
  type ZoneHistory,
} from "../../../src/domain/metering/index.ts";

const short = (at: number) => isoOf(instantOfEpochMs(at)).replace(":00.000Z", "Z");
const shown = ({ start, end }: Period) => `${short(start)} to ${short(end)}`;

describe("a window on a local clock", () => {
  test.each([
    {
      zone: "UTC",
      size: "minute",
      at: "2026-06-15T12:34:56Z",
      window: "2026-06-15T12:34Z to 2026-06-15T12:35Z",
      why: "a minute",
    },
    {
      zone: "UTC",
      size: "hour",
      at: "2026-06-15T12:00:00Z",
      window: "2026-06-15T12:00Z to 2026-06-15T13:00Z",
      why: "its start belongs to it",
    },
    {
      zone: "UTC",
      size: "hour",
      at: "2026-06-15T12:59:59.999Z",
      window: "2026-06-15T12:00Z to 2026-06-15T13:00Z",
      why: "its end does not",
    },
    {
      zone: "Asia/Kolkata",
      size: "hour",
      at: "2026-06-15T12:34:56Z",
      window: "2026-06-15T12:30Z to 2026-06-15T13:30Z",
      why: "half an hour beside UTC",
    },
    {
      zone: "Asia/Kathmandu",
      size: "hour",
      at: "2026-06-15T12:14:59Z",
      window: "2026-06-15T11:15Z to 2026-06-15T12:15Z",
      why: "45 minutes beside UTC",
    },
    {
      zone: "Europe/Berlin",
      size: "day",
      at: "2026-06-15T22:00:00Z",
      window: "2026-06-15T22:00Z to 2026-06-16T22:00Z",
      why: "midnight in Berlin",
    },
    {
      zone: "Europe/Berlin",
      size: "day",
      at: "2026-03-29T12:00:00Z",
      window: "2026-03-28T23:00Z to 2026-03-29T22:00Z",
      why: "23 hours: spring",
    },
    {
      zone: "Europe/Berlin",
      size: "day",
      at: "2026-10-25T12:00:00Z",
      window: "2026-10-24T22:00Z to 2026-10-25T23:00Z",
      why: "25 hours: autumn",
    },
    {
      zone: "Europe/Berlin",
      size: "hour",
      at: "2026-10-25T00:30:00Z",
      window: "2026-10-25T00:00Z to 2026-10-25T01:00Z",
      why: "from 2 to 3, the first time",
    },
    {
      zone: "Europe/Berlin",
      size: "hour",
      at: "2026-10-25T01:30:00Z",
      window: "2026-10-25T01:00Z to 2026-10-25T02:00Z",
      why: "from 2 to 3, the second",
    },
    {
      zone: "Australia/Lord_Howe",
      size: "hour",
      at: "2026-04-04T15:10:00Z",
      window: "2026-04-04T15:00Z to 2026-04-04T15:30Z",
      why: "from 1:30 to 2, the second time",
    },
    {
      zone: "Australia/Lord_Howe",
      size: "hour",
      at: "2026-10-03T15:40:00Z",
      window: "2026-10-03T15:30Z to 2026-10-03T16:00Z",
      why: "from 2:30: at 2 it was 2:30",
    },
    {
      zone: "America/Sao_Paulo",
      size: "day",
      at: "2018-11-04T12:00:00Z",
      window: "2018-11-04T03:00Z to 2018-11-05T02:00Z",
      why: "a day that began at 1:00",
    },
    {
      zone: "America/Santiago",
      size: "day",
      at: "1990-03-11T03:30:00Z",
      window: "1990-03-10T03:00Z to 1990-03-11T04:00Z",
      why: "25 hours: at midnight it is 23:00 again",
    },
    {
      zone: "America/St_Johns",
      size: "day",
      at: "2010-11-06T12:00:00Z",
      window: "2010-11-06T02:30Z to 2010-11-07T02:30Z",
      why: "until its end, the first time",
    },
    {
      zone: "America/St_Johns",
      size: "day",
      at: "2010-11-07T02:31:30Z",
      window: "2010-11-07T02:30Z to 2010-11-08T03:30Z",
      why: "23:01 of the 6th again, in what has begun as the 7th",
    },
    {
      zone: "Pacific/Apia",
      size: "day",
      at: "2011-12-30T09:59:59Z",
      window: "2011-12-29T10:00Z to 2011-12-30T10:00Z",
      why: "the 29th, before a day that never was",
    },
    {
      zone: "Pacific/Apia",
      size: "day",
      at: "2011-12-30T10:00:00Z",
      window: "2011-12-30T10:00Z to 2011-12-31T10:00Z",
      why: "the 31st, after it",
    },
  ] as const)("$size of $zone at $at: $why", ({ zone, size, at, window }) => {
    expect(shown(windowOf(instant(at), size, zone))).toBe(window);
  });

  test("a zone that is none is refused", () => {
    expect(() => windowOf(instant("2026-06-15T12:00:00Z"), "day", "Mars/Olympus")).toThrow(
      expect.objectContaining({ code: "time_zone_unknown" }),
    );
  });
});

describe("a customer who moves to another zone", () => {
  const history: ZoneHistory = [
    { since: instant("2026-01-01T00:00:00Z"), zone: "Europe/Berlin" },
    { since: instant("2026-06-15T15:20:00Z"), zone: "Asia/Kolkata" },
  ];
  const on15th = { start: instant("2026-06-15T12:00:00Z"), end: instant("2026-06-16T00:00:00Z") };

  test("ends a day, and begins one, there and then", () => {
    expect([...windowsOf(on15th, "day", history)].map(shown)).toEqual([
      "2026-06-14T22:00Z to 2026-06-15T15:20Z", // until 17:20 in Berlin
      "2026-06-15T15:20Z to 2026-06-15T18:30Z", // from 20:50 in Kolkata to midnight
      "2026-06-15T18:30Z to 2026-06-16T18:30Z",
    ]);
  });

  test("had the first zone before it is known since when", () => {
    expect(shown(windowOf(instant("2025-06-15T12:00:00Z"), "day", history))).toBe(
      "2025-06-14T22:00Z to 2025-06-15T22:00Z",
    );
  });
});

test.each([
  { start: "10:00", end: "12:00", whole: "10:00 to 12:00", pieces: [] },
  { start: "10:15", end: "12:45", whole: "11:00 to 12:00", pieces: ["10:15 to 11:00", "12:00 to 12:45"] },
  { start: "10:15", end: "12:00", whole: "11:00 to 12:00", pieces: ["10:15 to 11:00"] },
  { start: "10:15", end: "11:15", whole: null, pieces: ["10:15 to 11:15"] },
  { start: "10:15", end: "10:20", whole: null, pieces: ["10:15 to 10:20"] },
])("$start to $end is the whole hours $whole and $pieces", ({ start, end, whole, pieces }) => {
  const at = (time: string) => instant(`2026-06-15T${time}:00Z`);
  const clock = (part: Period) => `${isoOf(part.start).slice(11, 16)} to ${isoOf(part.end).slice(11, 16)}`;
  const split = splitByWindows({ start: at(start), end: at(end) }, "hour", "UTC");
  expect(split.whole && clock(split.whole)).toBe(whole);
  expect(split.pieces.map(clock)).toEqual(pieces);
});

const hourMs = 3_600_000;

const anyZone = fc.constantFrom(
  ...Intl.supportedValuesOf("timeZone"),
  // More often those with clocks that are out of the ordinary.
  ...Array.from({ length: 20 }, () => [
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Asia/Gaza",
  ]).flat(),
);
const years = [instant("1990-01-01T00:00:00Z"), instant("2040-01-01T00:00:00Z")] as const;
/** Half of them within an hour of a change of the zone's clock. */
const anyMoment = anyZone.chain((zone) =>
  fc
    .tuple(
      fc.integer({ min: years[0], max: years[1] }),
      fc.boolean(),
      fc.integer({ min: -hourMs, max: hourMs }),
    )
    .map(([ms, isNearChange, beside]) => {
      const at = instantOfEpochMs(ms);
      const change = localTime(at, zone).getTimeZoneTransition("next")?.epochMilliseconds;
      return { zone, at: instantOfEpochMs(isNearChange && change !== undefined ? change + beside : ms) };
    }),
);

describe("INV-26: windows follow one another without gap or overlap, whatever a zone's clock does", () => {
  test.each(windowSizes)(
    "each %s holds the instants that lead to it, and ends where the next begins",
    (size) => {
      fc.assert(
        fc.property(anyMoment, ({ zone, at }) => {
          const window = windowOf(at, size, zone);
          expect(contains(window, at)).toBe(true);
          for (const inside of [window.start, instantOfEpochMs(window.end - 1)]) {
            expect(windowOf(inside, size, zone)).toEqual(window);
          }
          expect(windowOf(window.end, size, zone).start).toBe(window.end);
          expect(windowOf(instantOfEpochMs(window.start - 1), size, zone).end).toBe(window.start);
        }),
        { numRuns: 300 },
      );
    },
  );

  test("minutes are parts of hours, and hours of days", () => {
    fc.assert(
      fc.property(anyMoment, ({ zone, at }) => {
        const [minute, anHour, day] = windowSizes.map((size) => windowOf(at, size, zone));
        for (const [part, whole] of [
          [minute, anHour],
          [anHour, day],
        ]) {
          expect(part && whole && whole.start <= part.start && part.end <= whole.end).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("a period is its whole windows and the pieces at its ends", () => {
    fc.assert(
      fc.property(
        anyMoment,
        fc.integer({ min: 1, max: 5 * 24 * hourMs }),
        fc.constantFrom("hour", "day"),
        ({ zone, at }, length, size) => {
          const period = { start: at, end: instantOfEpochMs(at + length) };
          const { whole, pieces } = splitByWindows(period, size, zone);
          const parts = [...pieces, ...(whole ? [whole] : [])].toSorted(
            (one, other) => one.start - other.start,
          );
          expect(parts[0]?.start).toBe(period.start);
          expect(parts.at(-1)?.end).toBe(period.end);
          expect(parts.reduce((sum, part) => sum + lengthMs(part), 0)).toBe(length);
          const touched = [...windowsOf(period, size, zone)];
          const within = touched.filter(({ start, end }) => period.start <= start && end <= period.end);
          expect(within.reduce((sum, window) => sum + lengthMs(window), 0)).toBe(whole ? lengthMs(whole) : 0);
        },
      ),
      { numRuns: 300 },
    );
  });
});

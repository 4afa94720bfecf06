import { describe, expect, test } from "vitest";
import {
  type BillingAnchor,
  type BillingInterval,
  boundary,
  instant,
  isoOf,
  lengthMs,
  periodAt,
  periodContaining,
} from "../../../src/domain/calendar/index.ts";

const month: BillingInterval = { unit: "month", count: 1 };

function anchor(at: string, interval = month, timeZone = "UTC"): BillingAnchor {
  return { at: instant(at), interval, timeZone };
}

function days(of: BillingAnchor, first: number, last: number): string[] {
  const indexes = Array.from({ length: last - first + 1 }, (_, offset) => first + offset);
  return indexes.map((index) => isoOf(boundary(of, index)).slice(0, "2026-01-31".length));
}

describe("boundaries count from the anchor's own day", () => {
  test.each([
    {
      day: "2026-01-31",
      interval: month,
      boundaries: ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"],
      why: "a short month leaves no trace",
    },
    {
      day: "2028-01-30",
      interval: month,
      boundaries: ["2028-01-30", "2028-02-29", "2028-03-30", "2028-04-30"],
      why: "February 2028 has a 29th",
    },
    {
      day: "2026-01-29",
      interval: month,
      boundaries: ["2026-01-29", "2026-02-28", "2026-03-29", "2026-04-29"],
      why: "February 2026 has none",
    },
    {
      day: "2024-02-29",
      interval: { unit: "year", count: 1 },
      boundaries: ["2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"],
      why: "a leap day returns every fourth year",
    },
    {
      day: "2025-11-30",
      interval: { unit: "month", count: 3 },
      boundaries: ["2025-11-30", "2026-02-28", "2026-05-30"],
      why: "quarters",
    },
    {
      day: "2026-02-23",
      interval: { unit: "week", count: 2 },
      boundaries: ["2026-02-23", "2026-03-09", "2026-03-23"],
      why: "fortnights",
    },
    {
      day: "2026-02-27",
      interval: { unit: "day", count: 1 },
      boundaries: ["2026-02-27", "2026-02-28", "2026-03-01"],
      why: "days",
    },
  ] satisfies { day: string; interval: BillingInterval; boundaries: string[]; why: string }[])(
    "from $day: $why",
    ({ day, interval, boundaries }) => {
      expect(days(anchor(`${day}T00:00:00Z`, interval), 0, boundaries.length - 1)).toEqual(boundaries);
    },
  );

  test("they reach back before the anchor", () => {
    expect(days(anchor("2026-03-31T00:00:00Z"), -2, 0)).toEqual(["2026-01-31", "2026-02-28", "2026-03-31"]);
  });

  test("in New York, midnight on 1 April is 04:00 UTC and 1 March 05:00", () => {
    const newYork = anchor("2026-03-01T05:00:00Z", month, "America/New_York");
    expect(isoOf(boundary(newYork, 1))).toBe("2026-04-01T04:00:00.000Z");
  });

  test("on the last day of the month in Tokyo, though it is another day in UTC", () => {
    const tokyo = anchor("2026-01-30T15:00:00Z", month, "Asia/Tokyo");
    expect(isoOf(boundary(tokyo, 1))).toBe("2026-02-27T15:00:00.000Z");
    expect(isoOf(boundary(tokyo, 2))).toBe("2026-03-30T15:00:00.000Z");
  });

  test.each([0, -1, 1.5, Number.NaN])("an interval of %s months is refused", (count) => {
    expect(() => boundary(anchor("2026-01-01T00:00:00Z", { unit: "month", count }), 1)).toThrow(
      expect.objectContaining({ code: "interval_invalid" }),
    );
  });
});

describe("days on a clock that changes", () => {
  const day: BillingInterval = { unit: "day", count: 1 };
  const hours = (of: BillingAnchor, index: number) => lengthMs(periodAt(of, index)) / 3_600_000;

  test.each([
    {
      at: "2026-03-28T23:00:00Z",
      zone: "Europe/Berlin",
      hours: [23, 24],
      why: "Berlin springs forward on 29 March",
    },
    {
      at: "2026-10-24T22:00:00Z",
      zone: "Europe/Berlin",
      hours: [25, 24],
      why: "and falls back on 25 October",
    },
    {
      at: "2026-10-03T13:30:00Z",
      zone: "Australia/Lord_Howe",
      hours: [23.5, 24],
      why: "Lord Howe by half an hour",
    },
    {
      at: "2026-03-28T01:30:00Z",
      zone: "Europe/Berlin",
      hours: [24, 23, 24],
      why: "02:30 is skipped on 29 March: 03:30, and back at 02:30 the next day",
    },
  ])("$why", ({ at, zone, hours: expected }) => {
    const of = anchor(at, day, zone);
    expect(expected.map((_, index) => hours(of, index))).toEqual(expected);
  });

  test("Apia had no 30 December 2011: that period is empty, and no instant is in it", () => {
    const apia = anchor("2011-12-28T20:00:00Z", day, "Pacific/Apia"); // 10:00 on 28 December
    expect([0, 1, 2, 3].map((index) => hours(apia, index))).toEqual([24, 24, 0, 24]);
    expect(periodContaining(apia, boundary(apia, 2)).index).toBe(3);
  });
});

describe("the period an instant is in", () => {
  const endOfMonth = anchor("2026-01-31T00:00:00Z");

  test.each([
    { at: "2026-01-31T00:00:00Z", index: 0, why: "a boundary starts its period" },
    { at: "2026-02-27T23:59:59.999Z", index: 0, why: "the last millisecond before the next" },
    { at: "2026-02-28T00:00:00Z", index: 1, why: "the next" },
    { at: "2026-01-30T00:00:00Z", index: -1, why: "before the anchor" },
    { at: "2036-01-31T00:00:00Z", index: 120, why: "ten years on" },
  ])("$at is in period $index: $why", ({ at, index }) => {
    expect(periodContaining(endOfMonth, instant(at))).toEqual({ index, period: periodAt(endOfMonth, index) });
  });
});

test("INV-8: boundaries keep the anchor's local day, or the last one of a shorter month, and its local time", () => {
  const zone = "America/New_York";
  const noonOnThe31st = anchor("2026-01-31T17:00:00Z", month, zone);
  // The platform's own calendar says what the clocks on the wall show.
  const wallClock = new Intl.DateTimeFormat("en-CA", {
    timeZone: zone,
    dateStyle: "short",
    timeStyle: "medium",
    hourCycle: "h23",
  });
  for (let index = 0; index < 200 * 12; index += 1) {
    const lastOfMonth = new Date(Date.UTC(2026, index + 1, 0)).toISOString().slice(0, "2026-01-31".length);
    expect(wallClock.format(boundary(noonOnThe31st, index))).toBe(`${lastOfMonth}, 12:00:00`);
  }
});

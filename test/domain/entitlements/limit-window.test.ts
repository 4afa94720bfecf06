import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { contains, instant, instantOfEpochMs, isoOf } from "../../../src/domain/calendar/index.ts";
import { calendarUnits, type LimitWindow, lengthUnits } from "../../../src/domain/catalog/index.ts";
import { lengthOfWindowMs, windowAt } from "../../../src/domain/entitlements/index.ts";

const frameAt = (now: number, timeZone = "UTC") => ({
  now: instantOfEpochMs(now),
  timeZone,
  cycle: null,
  since: instantOfEpochMs(0),
  openedAt: null,
});

const zones = [
  "UTC",
  "Europe/Berlin",
  "America/New_York",
  "Asia/Kathmandu",
  "Pacific/Apia",
  "America/Sao_Paulo",
];
const anyInstant = fc.integer({ min: Date.UTC(2005, 0), max: Date.UTC(2040, 0) });
const anyZone = fc.constantFrom(...zones);

describe("windows of the calendar", () => {
  test.each([
    {
      unit: "hour",
      start: "2026-03-29T01:00:00.000Z",
      end: "2026-03-29T02:00:00.000Z",
      why: "03:00 to 04:00",
    },
    {
      unit: "day",
      start: "2026-03-28T23:00:00.000Z",
      end: "2026-03-29T22:00:00.000Z",
      why: "it has 23 hours",
    },
    {
      unit: "week",
      start: "2026-03-22T23:00:00.000Z",
      end: "2026-03-29T22:00:00.000Z",
      why: "from Monday on",
    },
    { unit: "month", start: "2026-02-28T23:00:00.000Z", end: "2026-03-31T22:00:00.000Z", why: "March" },
    {
      unit: "quarter",
      start: "2025-12-31T23:00:00.000Z",
      end: "2026-03-31T22:00:00.000Z",
      why: "January to March",
    },
    { unit: "year", start: "2025-12-31T23:00:00.000Z", end: "2026-12-31T23:00:00.000Z", why: "2026" },
  ] as const)("the $unit in Berlin when the clock goes forward: $why", ({ unit, start, end }) => {
    const { period, resetsAt } = windowAt(
      { type: "calendar", unit },
      frameAt(instant("2026-03-29T01:30:00Z"), "Europe/Berlin"),
    );
    expect(period && [isoOf(period.start), isoOf(period.end)]).toEqual([start, end]);
    expect(resetsAt).toBe(period?.end);
  });

  test("now is in its window, and where that ends the next one begins", () => {
    fc.assert(
      fc.property(fc.constantFrom(...calendarUnits), anyInstant, anyZone, (unit, now, zone) => {
        const at = (when: number) => windowAt({ type: "calendar", unit }, frameAt(when, zone)).period;
        const period = at(now);
        if (period === null) throw new Error("a calendar always has a window");
        expect(contains(period, instantOfEpochMs(now))).toBe(true);
        expect(at(period.end)?.start).toBe(period.end);
        expect(at(period.start)).toEqual(period);
        expect(at(period.end - 1)).toEqual(period);
      }),
    );
  });
});

describe("rolling windows", () => {
  const anyLength = fc.record({
    unit: fc.constantFrom(...lengthUnits),
    count: fc.integer({ min: 1, max: 100 }),
  });

  test("they have all of the time before now and what may be ahead of it, by whole minutes, and less than two minutes more", () => {
    fc.assert(
      fc.property(anyLength, anyInstant, (length, now) => {
        const { period, resetsAt } = windowAt({ type: "rolling", length }, frameAt(now));
        if (period === null) throw new Error("a rolling window is always open");
        const begun = now - lengthOfWindowMs(length);
        expect(period.start).toBeLessThanOrEqual(begun);
        expect(period.start).toBeGreaterThan(begun - 60_000);
        expect(period.end).toBeGreaterThan(now + 5 * 60_000);
        expect(period.end).toBeLessThanOrEqual(now + 6 * 60_000);
        expect([period.start % 60_000, period.end % 60_000]).toEqual([0, 0]);
        expect(resetsAt).toBeNull();
      }),
    );
  });

  test("they only move forward", () => {
    fc.assert(
      fc.property(anyLength, anyInstant, fc.integer({ min: 0, max: 600_000 }), (length, now, later) => {
        const at = (when: number) => windowAt({ type: "rolling", length }, frameAt(when)).period?.start ?? 0;
        expect(at(now + later)).toBeGreaterThanOrEqual(at(now));
      }),
    );
  });
});

test.each<{ window: LimitWindow; frame: object; expected: (string | null)[]; why: string }>([
  {
    window: { type: "billing_cycle" },
    frame: { cycle: { start: instant("2026-03-10T00:00:00Z"), end: instant("2026-04-10T00:00:00Z") } },
    expected: ["2026-03-10T00:00:00.000Z", "2026-04-10T00:00:00.000Z", "2026-04-10T00:00:00.000Z"],
    why: "the subscription's period",
  },
  {
    window: { type: "billing_cycle" },
    frame: {},
    expected: ["2026-03-01T00:00:00.000Z", "2026-04-01T00:00:00.000Z", "2026-04-01T00:00:00.000Z"],
    why: "without a subscription a month",
  },
  {
    window: { type: "first_use", length: { unit: "hour", count: 5 } },
    frame: {},
    expected: [null, null, null],
    why: "nothing was used yet",
  },
  {
    window: { type: "first_use", length: { unit: "hour", count: 5 } },
    frame: { openedAt: instant("2026-03-15T09:00:00Z") },
    expected: ["2026-03-15T09:00:00.000Z", "2026-03-15T14:00:00.000Z", "2026-03-15T14:00:00.000Z"],
    why: "five hours from the first use",
  },
  {
    window: { type: "never" },
    frame: { since: instant("2026-01-05T10:00:30Z") },
    expected: ["2026-01-05T10:00:00.000Z", "2026-03-15T12:06:00.000Z", null],
    why: "since it was given",
  },
])("$window.type is $why", ({ window, frame, expected }) => {
  const { period, resetsAt } = windowAt(window, { ...frameAt(instant("2026-03-15T12:00:00Z")), ...frame });
  const shown = [period?.start, period?.end, resetsAt].map((at) => (at == null ? null : isoOf(at)));
  expect(shown).toEqual(expected);
});

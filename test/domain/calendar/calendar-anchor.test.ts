import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type AnchorRule,
  anchorFor,
  type BillingAnchor,
  type BillingInterval,
  boundary,
  instant,
  instantOfEpochMs,
  isoOf,
  periodContaining,
} from "../../../src/domain/calendar/index.ts";

const every = (count: number, unit: BillingInterval["unit"]): BillingInterval => ({ unit, count });

/** The local days and times on which the first boundaries from the start on fall. */
function boundaries(of: BillingAnchor, start: string, count: number): string[] {
  const { index, period } = periodContaining(of, instant(start));
  const first = period.start === instant(start) ? index : index + 1;
  const local = new Intl.DateTimeFormat("sv-SE", {
    timeZone: of.timeZone,
    dateStyle: "short",
    timeStyle: "short",
  });
  return Array.from({ length: count }, (_, offset) => local.format(boundary(of, first + offset)));
}

describe("calendar anchors begin periods where the calendar says", () => {
  test.each<{
    rule: Omit<Extract<AnchorRule, { type: "calendar" }>, "type">;
    interval: BillingInterval;
    start: string;
    zone?: string;
    days: string[];
    why: string;
  }>([
    {
      rule: {},
      interval: every(1, "month"),
      start: "2026-01-17T10:00:00Z",
      days: ["2026-02-01 00:00", "2026-03-01 00:00", "2026-04-01 00:00"],
      why: "the first of the month",
    },
    {
      rule: {},
      interval: every(1, "month"),
      start: "2026-02-01T00:00:00Z",
      days: ["2026-02-01 00:00", "2026-03-01 00:00"],
      why: "who starts on a boundary has no first part",
    },
    {
      rule: { day: 31 },
      interval: every(1, "month"),
      start: "2026-02-10T00:00:00Z",
      days: ["2026-02-28 00:00", "2026-03-31 00:00", "2026-04-30 00:00", "2026-05-31 00:00"],
      why: "the last day of each month, though the first is the 28th",
    },
    {
      rule: { day: 30 },
      interval: every(1, "month"),
      start: "2028-01-31T00:00:00Z",
      days: ["2028-02-29 00:00", "2028-03-30 00:00", "2028-04-30 00:00"],
      why: "the 30th, or the 29th of a leap February",
    },
    {
      rule: { weekday: 1 },
      interval: every(1, "week"),
      start: "2026-01-01T00:00:00Z",
      days: ["2026-01-05 00:00", "2026-01-12 00:00"],
      why: "Mondays; 1 January 2026 is a Thursday",
    },
    {
      rule: { weekday: 4 },
      interval: every(2, "week"),
      start: "2026-01-01T00:00:00.001Z",
      days: ["2026-01-08 00:00", "2026-01-22 00:00"],
      why: "a millisecond late: the next Thursday, and every other one from there",
    },
    {
      rule: {},
      interval: every(3, "month"),
      start: "2026-02-10T00:00:00Z",
      days: ["2026-04-01 00:00", "2026-07-01 00:00", "2026-10-01 00:00", "2027-01-01 00:00"],
      why: "quarters of the calendar",
    },
    {
      rule: { month: 2, day: 15 },
      interval: every(3, "month"),
      start: "2026-02-20T00:00:00Z",
      days: ["2026-05-15 00:00", "2026-08-15 00:00", "2026-11-15 00:00", "2027-02-15 00:00"],
      why: "quarters from February on",
    },
    {
      rule: {},
      interval: every(5, "month"),
      start: "2026-02-10T00:00:00Z",
      days: ["2026-03-01 00:00", "2026-08-01 00:00", "2027-01-01 00:00"],
      why: "five months do not divide a year: counted from the first boundary",
    },
    {
      rule: { month: 4 },
      interval: every(1, "year"),
      start: "2026-05-01T00:00:00Z",
      days: ["2027-04-01 00:00", "2028-04-01 00:00"],
      why: "1 April each year",
    },
    {
      rule: { month: 2, day: 29 },
      interval: every(1, "year"),
      start: "2026-01-01T00:00:00Z",
      days: ["2026-02-28 00:00", "2027-02-28 00:00", "2028-02-29 00:00", "2029-02-28 00:00"],
      why: "the last day of February",
    },
    {
      rule: { month: 2, day: 31 },
      interval: every(3, "year"),
      start: "2026-01-01T00:00:00Z",
      days: ["2026-02-28 00:00", "2029-02-28 00:00", "2032-02-29 00:00"],
      why: "a day that the month never has is its last one",
    },
    {
      rule: {},
      interval: every(1, "day"),
      start: "2026-03-28T12:00:00Z",
      zone: "Europe/Berlin",
      days: ["2026-03-29 00:00", "2026-03-30 00:00", "2026-03-31 00:00"],
      why: "local midnights, over a day of 23 hours",
    },
    {
      rule: { day: 4 },
      interval: every(1, "month"),
      start: "2018-11-01T12:00:00Z",
      zone: "America/Sao_Paulo",
      days: ["2018-11-04 01:00", "2018-12-04 00:00", "2019-01-04 00:00"],
      why: "4 November 2018 began at one o'clock in São Paulo; the others at midnight",
    },
    {
      rule: {},
      interval: every(1, "month"),
      start: "2026-10-31T20:00:00Z",
      zone: "Asia/Tokyo",
      days: ["2026-12-01 00:00", "2027-01-01 00:00"],
      why: "in Tokyo it is 1 November, five o'clock",
    },
  ])("$why", ({ rule, interval, start, zone = "UTC", days }) => {
    const of = anchorFor({ type: "calendar", ...rule }, { start: instant(start), interval, timeZone: zone });
    expect(boundaries(of, start, days.length)).toEqual(days);
  });

  test("without a rule, and on the anniversary, periods count from the start itself", () => {
    const subscribed = {
      start: instant("2026-01-31T10:00:00Z"),
      interval: every(1, "month"),
      timeZone: "UTC",
    };
    const { start: at, interval, timeZone } = subscribed;
    expect(anchorFor(undefined, subscribed)).toEqual({ at, interval, timeZone });
    expect(anchorFor({ type: "anniversary" }, subscribed)).toEqual({ at, interval, timeZone });
  });

  test.each<{ rule: AnchorRule; interval: BillingInterval; field: string }>([
    { rule: { type: "calendar", weekday: 1 }, interval: every(1, "month"), field: "weekday" },
    { rule: { type: "calendar", day: 1 }, interval: every(1, "week"), field: "day" },
    { rule: { type: "calendar", month: 1 }, interval: every(1, "month"), field: "month" },
    { rule: { type: "calendar", month: 1 }, interval: every(5, "month"), field: "month" },
    { rule: { type: "calendar", day: 2 }, interval: every(1, "day"), field: "day" },
  ])("$field is refused for periods of $interval.count $interval.unit", ({ rule, interval, field }) => {
    const subscribed = { start: instant("2026-01-01T00:00:00Z"), interval, timeZone: "UTC" };
    expect(() => anchorFor(rule, subscribed)).toThrow(
      expect.objectContaining({ code: "anchor_rule_invalid", field }),
    );
  });
});

test("a calendar anchor keeps its day of the month, whatever the day on which somebody subscribed", () => {
  const anyStart = fc
    .integer({ min: instant("2000-01-01T00:00:00Z"), max: instant("2080-01-01T00:00:00Z") })
    .map(instantOfEpochMs);
  fc.assert(
    fc.property(anyStart, fc.integer({ min: 1, max: 31 }), fc.nat(600), (start, day, offset) => {
      const of = anchorFor(
        { type: "calendar", day },
        { start, interval: every(1, "month"), timeZone: "UTC" },
      );
      const at = isoOf(boundary(of, offset));
      const lastDay = new Date(Date.UTC(Number(at.slice(0, 4)), Number(at.slice(5, 7)), 0)).getUTCDate();
      expect(at.slice(8)).toBe(`${String(Math.min(day, lastDay)).padStart(2, "0")}T00:00:00.000Z`);
    }),
  );
});

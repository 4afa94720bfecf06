import { describe, expect, test } from "vitest";
import {
  agreedPeriodAt,
  anchorAfterTrial,
  type BillingAnchor,
  changedAnchor,
  civilDays,
  daysOf30,
  instant,
  isoOf,
  type Period,
} from "../../../src/domain/calendar/index.ts";

const days = ({ start, end }: Period) => [isoOf(start).slice(0, 10), isoOf(end).slice(0, 10)];

describe("another interval in mid-period", () => {
  const monthly: BillingAnchor = {
    at: instant("2026-01-31T00:00:00Z"),
    interval: { unit: "month", count: 1 },
    timeZone: "UTC",
  };
  const first = { effectiveAt: monthly.at, anchor: monthly };
  const yearly = { unit: "year", count: 1 } as const;
  const tenMarch = instant("2026-03-10T00:00:00Z");

  test.each([
    {
      choice: "reset",
      period: ["2026-03-10", "2027-03-10"],
      full: ["2026-03-10", "2027-03-10"],
      why: "a year begins then",
    },
    {
      choice: "keep",
      period: ["2026-03-10", "2027-01-31"],
      full: ["2026-01-31", "2027-01-31"],
      why: "years count from 31 January 2026",
    },
  ] as const)("$choice: $why", ({ choice, period, full }) => {
    const history = [
      first,
      changedAnchor(monthly, { rule: undefined, interval: yearly, timeZone: "UTC" }, tenMarch, choice),
    ];
    const after = agreedPeriodAt(history, tenMarch);
    expect(days(after.period)).toEqual(period);
    expect(days(after.full)).toEqual(full);
    const before = agreedPeriodAt(history, instant("2026-03-09T00:00:00Z"));
    expect(days(before.period)).toEqual(["2026-02-28", "2026-03-10"]);
    expect(days(before.full)).toEqual(["2026-02-28", "2026-03-31"]);
  });
});

describe("after a trial of two weeks from 20 January on", () => {
  const trial = { start: instant("2026-01-20T00:00:00Z"), end: instant("2026-02-03T00:00:00Z") };
  const interval = { unit: "month", count: 1 } as const;

  test.each([
    {
      choice: "trial_end",
      rule: undefined,
      period: ["2026-02-03", "2026-03-03"],
      why: "a month from its end",
    },
    {
      choice: "trial_start",
      rule: undefined,
      period: ["2026-02-03", "2026-02-20"],
      why: "the rest of the month",
    },
    {
      choice: "trial_end",
      rule: { type: "calendar" },
      period: ["2026-02-03", "2026-03-01"],
      why: "the rest of February",
    },
  ] as const)("$choice: $why", ({ choice, rule, period }) => {
    const agreed = anchorAfterTrial(trial, choice, { rule, interval, timeZone: "UTC" });
    expect(days(agreedPeriodAt([agreed], trial.end).period)).toEqual(period);
  });
});

describe("days between two instants", () => {
  test.each([
    { from: "2026-01-01T00:00:00Z", to: "2026-02-01T00:00:00Z", civil: 31, of30: 30, why: "January" },
    { from: "2026-02-01T00:00:00Z", to: "2026-03-01T00:00:00Z", civil: 28, of30: 30, why: "February" },
    {
      from: "2026-01-01T00:00:00Z",
      to: "2026-01-31T00:00:00Z",
      civil: 30,
      of30: 29,
      why: "the 31st counts as the 30th",
    },
    {
      from: "2026-01-31T00:00:00Z",
      to: "2026-02-28T00:00:00Z",
      civil: 28,
      of30: 30,
      why: "month end to month end",
    },
    {
      from: "2026-02-27T00:00:00Z",
      to: "2026-02-28T00:00:00Z",
      civil: 1,
      of30: 3,
      why: "the last of February is the 30th",
    },
    {
      from: "2026-01-01T23:59:59Z",
      to: "2026-01-02T00:00:00Z",
      civil: 1,
      of30: 1,
      why: "a second over midnight",
    },
    { from: "2024-01-01T00:00:00Z", to: "2025-01-01T00:00:00Z", civil: 366, of30: 360, why: "a leap year" },
  ])("$from to $to: $civil, or $of30 of months of thirty: $why", ({ from, to, civil, of30 }) => {
    expect(civilDays(instant(from), instant(to), "UTC")).toBe(civil);
    expect(daysOf30(instant(from), instant(to), "UTC")).toBe(of30);
  });

  test("a day of 23 hours is a day", () => {
    const [from, to] = [instant("2026-03-28T23:00:00Z"), instant("2026-03-29T22:00:00Z")];
    expect(civilDays(from, to, "Europe/Berlin")).toBe(1);
  });
});

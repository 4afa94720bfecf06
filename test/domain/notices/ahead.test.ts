import { describe, expect, test } from "vitest";
import { instant, isoOf } from "../../../src/domain/calendar/index.ts";
import {
  cardNoticeAt,
  isLow,
  kindOfChange,
  retryAfterMs,
  retryAfterSeconds,
  trialNoticeAt,
  upcomingNoticeAt,
} from "../../../src/domain/notices/index.ts";

const usual = { upcomingInvoiceDays: 7, trialEndingDays: 3 };

describe("the notice of an invoice ahead", () => {
  test.each([
    {
      start: "2026-01-01",
      days: 7,
      at: "2026-01-25T00:00:00.000Z",
      why: "seven days before the first of February",
    },
    { start: "2026-01-01", days: 0, at: null, why: "the plan wants none" },
    { start: "2026-01-28", days: 7, at: null, why: "the period is shorter than that" },
    { start: "2026-01-25", days: 7, at: null, why: "it would come with the invoice before" },
  ])("$days days, period from $start: $why", ({ start, days, at }) => {
    const found = upcomingNoticeAt(instant("2026-02-01T00:00:00Z"), instant(`${start}T00:00:00Z`), {
      ...usual,
      upcomingInvoiceDays: days,
    });
    expect(found === null ? null : isoOf(found)).toBe(at);
  });
});

test.each([
  { started: "2026-01-01", at: "2026-01-12T00:00:00.000Z", why: "three days before" },
  { started: "2026-01-14", at: "2026-01-14T00:00:00.000Z", why: "at its start, which is later" },
])("the end of a trial from $started is told $why", ({ started, at }) => {
  const found = trialNoticeAt(instant("2026-01-15T00:00:00Z"), instant(`${started}T00:00:00Z`), usual);
  expect(isoOf(found)).toBe(at);
});

test.each([
  {
    expMonth: 2,
    expYear: 2026,
    zone: "UTC",
    at: "2026-01-30T00:00:00.000Z",
    ends: "2026-03-01T00:00:00.000Z",
  },
  {
    expMonth: 12,
    expYear: 2026,
    zone: "UTC",
    at: "2026-12-02T00:00:00.000Z",
    ends: "2027-01-01T00:00:00.000Z",
  },
  {
    expMonth: 2,
    expYear: 2026,
    zone: "Asia/Tokyo",
    at: "2026-01-29T15:00:00.000Z",
    ends: "2026-02-28T15:00:00.000Z",
  },
])(
  "a card of $expMonth/$expYear expires with its month in $zone",
  ({ expMonth, expYear, zone, at, ends }) => {
    const due = cardNoticeAt({ expMonth, expYear }, zone);
    expect([isoOf(due.at), isoOf(due.endsAt)]).toEqual([at, ends]);
  },
);

test.each([
  { remaining: 20n, granted: 100n, low: true, why: "a fifth is low" },
  { remaining: 21n, granted: 100n, low: false, why: "more is not" },
  { remaining: 0n, granted: 0n, low: false, why: "of nothing, nothing is low" },
])("$remaining of $granted: $why", ({ remaining, granted, low }) => {
  expect(isLow(remaining, granted)).toBe(low);
});

describe("after an attempt that failed", () => {
  test("the pauses grow, spread by a fifth, to over three days in all", () => {
    const pauses = (chance: number) => retryAfterSeconds.map((_, index) => retryAfterMs(index + 1, chance));
    expect(pauses(0)).toEqual(retryAfterSeconds.map((seconds) => seconds * 800));
    expect(pauses(1)).toEqual(retryAfterSeconds.map((seconds) => seconds * 1_200));
    expect(retryAfterSeconds.reduce((sum, seconds) => sum + seconds, 0) / 86_400).toBeGreaterThan(3);
    expect(retryAfterMs(retryAfterSeconds.length + 1, 0.5)).toBeNull();
  });

  test.each([
    { asked: 60_000, pause: 60_000, why: "longer than the 5 seconds that would be waited" },
    { asked: 1_000, pause: 5_000, why: "shorter, so it changes nothing" },
    { asked: 10 * 86_400_000, pause: 86_400_000, why: "a day is granted" },
  ])("a receiver that asks for $asked ms gets $pause: $why", ({ asked, pause }) => {
    expect(retryAfterMs(1, 0.5, asked)).toBe(pause);
  });
});

test.each([
  { change: "pause", kind: "subscription.paused" },
  { change: "resume", kind: "subscription.resumed" },
  { change: "change_plan", kind: "subscription.changed" },
  { change: "cancel", kind: null },
])("$change is told as $kind", ({ change, kind }) => {
  expect(kindOfChange(change)).toBe(kind);
});

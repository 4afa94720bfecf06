import { describe, expect, test } from "vitest";
import { type Instant, instant, instantOfEpochMs, period } from "../../../src/domain/calendar/index.ts";
import {
  giveUpAt,
  type MeterWatermark,
  usageCompleteness,
  waitForUsage,
} from "../../../src/domain/invoicing/index.ts";

const january = period(instant("2026-01-01T00:00:00Z"), instant("2026-02-01T00:00:00Z"));
const { end } = january;
const minute = 60_000;
const hour = 60 * minute;
const until = (ms: number): Instant => instantOfEpochMs(end - ms);
const past = (ms: number): Instant => instantOfEpochMs(end + ms);

const reported = (meterKey: string, completeUntil: Instant): MeterWatermark => ({
  meterKey,
  watermark: { kind: "reported", source: `${meterKey}-source`, completeUntil, heardAt: end },
});
const estimated = (meterKey: string, completeUntil: Instant): MeterWatermark => ({
  meterKey,
  watermark: { kind: "estimated", source: `${meterKey}-source`, completeUntil, lagMs: 1, events: 1n },
});
const unmeasured = (meterKey: string): MeterWatermark => ({
  meterKey,
  watermark: { kind: "none", completeUntil: until(hour) },
});

describe("a period's usage", () => {
  test.each([
    { meters: [], is: { completeUntil: end, knownBy: "none", heldBackBy: null }, why: "no meter is priced" },
    {
      meters: [unmeasured("tokens")],
      is: { completeUntil: end, knownBy: "none", heldBackBy: null },
      why: "no source sends any",
    },
    {
      meters: [reported("tokens", end), reported("seats", past(hour))],
      is: { completeUntil: end, knownBy: "reported", heldBackBy: null },
      why: "all are past its end, which is the last that matters",
    },
    {
      meters: [reported("tokens", end), estimated("seats", end)],
      is: { completeUntil: end, knownBy: "estimated", heldBackBy: null },
      why: "one is estimated, so the whole is",
    },
    {
      meters: [estimated("seats", until(1)), reported("tokens", until(hour))],
      is: {
        completeUntil: until(hour),
        knownBy: "reported",
        heldBackBy: { source: "tokens-source", meterKey: "tokens" },
      },
      why: "the one furthest behind is named",
    },
  ])("$why", ({ meters, is }) => {
    expect(usageCompleteness(january, meters)).toEqual(is);
  });
});

describe("the close", () => {
  const times = { period: january, dueAt: past(hour), giveUpAt: past(7 * hour) };
  const stuck = usageCompleteness(january, [reported("tokens", until(hour))]);

  test.each([
    { at: past(hour), next: past(hour + minute), why: "at first it looks every minute" },
    {
      at: past(hour + 4 * minute),
      next: past(hour + 8 * minute),
      why: "then when it has waited twice as long",
    },
    { at: past(3 * hour), next: past(3 * hour + 15 * minute), why: "but every quarter of an hour" },
    { at: past(7 * hour - 1), next: past(7 * hour), why: "and for the last time at the limit" },
    { at: past(7 * hour), next: null, why: "then it is closed as it is" },
  ])("$why", ({ at, next }) => {
    expect(waitForUsage(stuck, { ...times, at })).toBe(next);
  });

  test("is not put off when usage is complete", () => {
    const complete = usageCompleteness(january, [reported("tokens", end)]);
    expect(waitForUsage(complete, { ...times, at: past(hour) })).toBeNull();
  });

  test("waits for an estimate exactly until it will have passed", () => {
    const guessed = usageCompleteness(january, [estimated("tokens", until(20 * minute))]);
    expect(waitForUsage(guessed, { ...times, at: past(hour) })).toBe(past(hour + 20 * minute));
  });

  test.each([
    { limit: 6 * hour, next: null, is: past(7 * hour), why: "six hours" },
    { limit: 0, next: past(24 * hour), is: past(hour), why: "not at all" },
    {
      limit: 6 * hour,
      next: past(3 * hour),
      is: past(3 * hour),
      why: "the next period is due before that",
    },
    { limit: 6 * hour, next: until(hour), is: past(hour), why: "the next period is due already" },
  ])("is put off at most until $why", ({ limit, next, is }) => {
    expect(giveUpAt(past(hour), limit, next)).toBe(is);
  });
});

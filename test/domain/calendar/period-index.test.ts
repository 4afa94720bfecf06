import { describe, expect, test } from "vitest";
import { type AgreedAnchor, instant, periodIndexAt } from "../../../src/domain/calendar/index.ts";

function anchor(effectiveAt: string, at: string, unit: "month" | "year"): AgreedAnchor {
  const interval = { unit, count: 1 };
  return { effectiveAt: instant(effectiveAt), anchor: { at: instant(at), interval, timeZone: "UTC" } };
}

const monthly = anchor("2026-01-15T00:00:00Z", "2026-01-15T00:00:00Z", "month");
const calendar = anchor("2026-01-15T00:00:00Z", "2026-01-01T00:00:00Z", "month");
const yearly = anchor("2026-03-20T00:00:00Z", "2026-03-20T00:00:00Z", "year");

describe("which period of a subscription it is", () => {
  test.each([
    { why: "the first instant", history: [monthly], at: "2026-01-15T00:00:00Z", index: 0 },
    { why: "the last of the first period", history: [monthly], at: "2026-02-14T23:59:59.999Z", index: 0 },
    { why: "the second period", history: [monthly], at: "2026-02-15T00:00:00Z", index: 1 },
    { why: "a first part is a period", history: [calendar], at: "2026-01-20T00:00:00Z", index: 0 },
    {
      why: "the whole one after it is the second",
      history: [calendar],
      at: "2026-02-01T00:00:00Z",
      index: 1,
    },
    {
      why: "three periods by the month, the last cut short",
      history: [monthly, yearly],
      at: "2026-03-19T00:00:00Z",
      index: 2,
    },
    { why: "then the fourth, by the year", history: [monthly, yearly], at: "2026-03-20T00:00:00Z", index: 3 },
    { why: "and the fifth", history: [monthly, yearly], at: "2027-03-20T00:00:00Z", index: 4 },
  ])("$why", ({ history, at, index }) => {
    expect(periodIndexAt(history, instant(at))).toBe(index);
  });
});

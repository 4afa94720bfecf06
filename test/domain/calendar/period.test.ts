import { describe, expect, test } from "vitest";
import { contains, instant, intersect, lengthMs, period } from "../../../src/domain/calendar/index.ts";

const june = between("2026-06-01", "2026-07-01");

describe("a period is half-open", () => {
  test.each([
    { at: "2026-06-01T00:00:00Z", inside: true, why: "its start belongs to it" },
    { at: "2026-06-30T23:59:59.999Z", inside: true, why: "its last millisecond" },
    { at: "2026-07-01T00:00:00Z", inside: false, why: "its end belongs to the next" },
    { at: "2026-05-31T23:59:59.999Z", inside: false, why: "before it" },
  ])("$at inside June is $inside: $why", ({ at, inside }) => {
    expect(contains(june, instant(at))).toBe(inside);
  });

  test("June is 30 days long", () => {
    expect(lengthMs(june)).toBe(30 * 86_400_000);
  });

  test.each([
    ["2026-06-01", "2026-06-01"],
    ["2026-06-02", "2026-06-01"],
  ])("%s to %s is refused", (start, end) => {
    expect(() => period(midnight(start), midnight(end), "period")).toThrow(
      expect.objectContaining({ code: "period_invalid", field: "period" }),
    );
  });
});

describe("what two periods share", () => {
  test.each([
    { start: "2026-05-15", end: "2026-06-15", shared: ["2026-06-01", "2026-06-15"], why: "it began before" },
    { start: "2026-06-10", end: "2026-06-20", shared: ["2026-06-10", "2026-06-20"], why: "it lies inside" },
    { start: "2026-01-01", end: "2027-01-01", shared: ["2026-06-01", "2026-07-01"], why: "it covers all" },
  ])("June and $start to $end: $why", ({ start, end, shared: [from = "", to = ""] }) => {
    expect(intersect(june, between(start, end))).toEqual(between(from, to));
    expect(intersect(between(start, end), june)).toEqual(between(from, to));
  });

  test("neighbours share nothing", () => {
    expect(intersect(june, between("2026-07-01", "2026-08-01"))).toBeNull();
    expect(intersect(between("2026-07-01", "2026-08-01"), june)).toBeNull();
  });
});

function midnight(day: string) {
  return instant(`${day}T00:00:00Z`);
}

function between(start: string, end: string) {
  return period(midnight(start), midnight(end));
}

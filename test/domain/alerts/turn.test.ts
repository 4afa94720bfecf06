import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type AlertCondition,
  type BudgetReading,
  forecastOf,
  lookAgainAt,
  type OpenCrossing,
  turnOf,
} from "../../../src/domain/alerts/index.ts";
import { type Instant, instant, instantOfEpochMs } from "../../../src/domain/calendar/index.ts";
import { decimal } from "../../../src/domain/money/index.ts";

const january = { windowStart: instant("2026-01-01T00:00:00Z"), windowEnd: instant("2026-02-01T00:00:00Z") };
const february = { windowStart: january.windowEnd, windowEnd: instant("2026-03-01T00:00:00Z") };
const share: AlertCondition = { type: "share", percent: 80 };
const reading = (used: string, window = january, allowed = "100"): BudgetReading => ({
  ...window,
  key: "month",
  used: decimal(used),
  allowed: decimal(allowed),
});
const told: OpenCrossing = { number: 1, key: "month", windowStart: january.windowStart };
const now = instant("2026-01-11T00:00:00Z");

test.each([
  { used: "79.9", open: [], crossed: 0, recovered: [], why: "less than 80 of 100" },
  { used: "80", open: [], crossed: 1, recovered: [], why: "80 of 100 is the share itself" },
  { used: "99", open: [told], crossed: 0, recovered: [], why: "it was told" },
  { used: "79", open: [told], crossed: 0, recovered: ["recovered"], why: "less is used: it is armed again" },
  { used: "85", window: february, open: [told], crossed: 1, recovered: ["reset"], why: "another window" },
  {
    used: "1",
    window: february,
    open: [told],
    crossed: 0,
    recovered: ["reset"],
    why: "armed by the new window",
  },
  { used: "85", allowed: "200", open: [told], crossed: 0, recovered: ["recovered"], why: "more is allowed" },
  { used: "0", allowed: "0", open: [], crossed: 0, recovered: [], why: "nothing of nothing" },
  { used: "0.1", allowed: "0", open: [], crossed: 1, recovered: [], why: "anything of nothing" },
])("$used of $allowed: $why", ({ used, window, allowed, open, crossed, recovered }) => {
  const turn = turnOf(share, [reading(used, window, allowed)], open, now);
  expect([turn.crossed.length, turn.recovered.map(({ cause }) => cause)]).toEqual([crossed, recovered]);
});

test("a limit that was taken away is told of no more", () => {
  expect(turnOf(share, [], [told], now)).toEqual({ recovered: [{ number: 1, cause: "reset" }], crossed: [] });
});

describe("a forecast", () => {
  test.each([
    { used: "32", at: "2026-01-11T00:00:00Z", is: "99.2", why: "32 in 10 of 31 days" },
    { used: "33", at: "2026-01-11T00:00:00Z", is: "102.3", why: "33 in 10 of 31 days" },
    { used: "90", at: "2026-01-02T00:00:00Z", is: null, why: "one day of 31 is less than a tenth" },
    { used: "90", at: "2026-02-03T00:00:00Z", is: "90", why: "the window is over" },
  ])("of $used at $at is $is: $why", ({ used, at, is }) => {
    expect(forecastOf(reading(used), instant(at))?.text ?? null).toBe(is);
  });

  test("is told when it is more than is allowed", () => {
    const turn = (used: string) => turnOf({ type: "forecast" }, [reading(used)], [], now).crossed.length;
    expect([turn("32"), turn("33")]).toEqual([0, 1]);
  });
});

test.each([
  { subject: "credit", condition: share, at: null, why: "only buying ends it" },
  { subject: "feature", condition: share, at: january.windowEnd, why: "its window ends" },
  {
    subject: "feature",
    condition: { type: "forecast" },
    at: now + 31 * 864_000,
    why: "a hundredth of 31 days",
  },
] as const)("of $subject time alone may end a crossing: $why", ({ subject: type, condition, at }) => {
  const subject = type === "credit" ? { type } : { type, feature: "tokens", subject: {} };
  expect(lookAgainAt({ id: "a", subject, condition }, reading("90"), now)).toBe(at);
});

/** What an alert tells, told by the rule itself: from below to at or above, once in a window, and again after it was below. */
function expectedCrossings(levels: readonly { readonly window: number; readonly used: number }[]): number {
  let [count, isArmed, current] = [0, true, -1];
  for (const { window, used } of levels) {
    if (window !== current) isArmed = true;
    current = window;
    if (used < 80) isArmed = true;
    else if (isArmed) [count, isArmed] = [count + 1, false];
  }
  return count;
}

test("however usage, resets and looks follow each other, each crossing is told once and armed again once", () => {
  const step = fc.record({
    advance: fc.boolean(),
    used: fc.integer({ min: 0, max: 120 }),
    looks: fc.integer({ min: 1, max: 3 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      let open: OpenCrossing[] = [];
      let [window, number] = [0, 0];
      const levels: { window: number; used: number }[] = [];
      for (const { advance, used, looks } of steps) {
        if (advance) window += 1;
        levels.push({ window, used });
        const windowStart = instantOfEpochMs(window * 1_000) as Instant;
        const each = {
          ...reading(String(used)),
          windowStart,
          windowEnd: instantOfEpochMs((window + 1) * 1_000),
        };
        for (let look = 0; look < looks; look += 1) {
          const turn = turnOf(share, [each], open, windowStart);
          const over = turn.recovered.map((back) => back.number);
          open = open.filter((before) => !over.includes(before.number));
          open.push(...turn.crossed.map(({ key }) => ({ key, windowStart, number: ++number })));
          expect(open.length).toBeLessThanOrEqual(1);
        }
      }
      expect(number).toBe(expectedCrossings(levels));
    }),
  );
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { instant, instantOfEpochMs, isoOf } from "../../../src/domain/calendar/index.ts";
import {
  advanceLines,
  arrearsLines,
  endingCredits,
  type InvoiceLine,
  prorationLines,
  stretchesOf,
  type Terms,
  wholeCourse,
} from "../../../src/domain/invoicing/index.ts";
import { february, january, pro, team, terms } from "./plans.ts";

const amounts = (lines: readonly InvoiceLine[]) => lines.map(({ amount }) => amount.amountMinor);
const start = isoOf(january.start);

describe("in advance", () => {
  test.each([
    { of: terms(pro, start), cents: [3100n], why: "the base fee" },
    { of: terms(team, start, 1), cents: [], why: "the first seat is included: 0 × 62.00" },
    { of: terms(team, start, 4), cents: [18600n], why: "(4 − 1) × 62.00" },
    { of: terms(pro, start, 1, true), cents: [], why: "nothing is charged in advance while paused" },
  ])("$why", ({ of, cents }) => {
    expect(amounts(advanceLines(of, february))).toEqual(cents);
  });
});

describe("a change inside the period", () => {
  test.each([
    {
      why: "pro → team with 3 seats on day 10: 21 of 31 days of 31.00 back, of 2 × 62.00 charged",
      before: terms(pro, start),
      after: terms(team, "2026-01-11T00:00:00Z", 3),
      at: "2026-01-11T00:00:00Z",
      cents: [-2100n, 8400n],
    },
    {
      why: "3 → 2 seats on day 30: 1 of 31 days: 124.00/31 back, 62.00/31 charged",
      before: terms(team, start, 3),
      after: terms(team, "2026-01-31T00:00:00Z", 2),
      at: "2026-01-31T00:00:00Z",
      cents: [-400n, 200n],
    },
    {
      why: "paused on day 15: 16 of 31 days back",
      before: terms(pro, start),
      after: terms(pro, "2026-01-16T00:00:00Z", 1, true),
      at: "2026-01-16T00:00:00Z",
      cents: [-1600n],
    },
    {
      why: "nothing that is paid for changes",
      before: terms(pro, start),
      after: terms(pro, "2026-01-16T00:00:00Z"),
      at: "2026-01-16T00:00:00Z",
      cents: [],
    },
  ])("$why", ({ before, after, at, cents }) => {
    expect(amounts(prorationLines(before, after, wholeCourse(january), instant(at)))).toEqual(cents);
  });

  test("an end gives back the unused part", () => {
    const lines = endingCredits(terms(pro, start), wholeCourse(january), instant("2026-01-25T00:00:00Z"));
    expect(amounts(lines)).toEqual([-700n]); // 7 of 31 days of 31.00
  });

  const anyInstant = fc.integer({ min: january.start + 1, max: january.end - 1 }).map(instantOfEpochMs);
  const anyTerms = fc
    .tuple(fc.constantFrom(pro, team), fc.integer({ min: 1, max: 9 }), fc.boolean())
    .map(([of, seats, paused]): Terms => ({ ...terms(of, start, seats), paused }));

  test("INV-20: a change and its undoing at the same instant come to zero", () => {
    fc.assert(
      fc.property(anyTerms, anyTerms, anyInstant, (one, other, at) => {
        const there = prorationLines(one, other, wholeCourse(january), at);
        const back = prorationLines(other, one, wholeCourse(january), at);
        expect(amounts([...there, ...back]).reduce((sum, cents) => sum + cents, 0n)).toBe(0n);
      }),
    );
  });

  test("INV-21: however often a plan is left and taken up again, it never costs more than the whole period", () => {
    fc.assert(
      fc.property(fc.array(anyInstant, { maxLength: 8 }), (instants) => {
        const on = terms(pro, start);
        const off = terms(team, start);
        let charged = 3100n;
        let current = on;
        for (const at of instants.toSorted((a, b) => a - b)) {
          const next = current === on ? off : on;
          for (const { amount } of prorationLines(current, next, wholeCourse(january), at))
            charged += amount.amountMinor;
          current = next;
          expect(charged).toBeGreaterThanOrEqual(0n);
          expect(charged).toBeLessThanOrEqual(3100n);
        }
      }),
    );
  });
});

describe("in arrears", () => {
  test("a price holds for the part of the period in which it was agreed", () => {
    const history = [terms(pro, start), terms(team, "2026-01-11T00:00:00Z")];
    const lines = arrearsLines(stretchesOf(history, january), january);
    expect(amounts(lines)).toEqual([210n]); // 21 of 31 days of 3.10
  });
});

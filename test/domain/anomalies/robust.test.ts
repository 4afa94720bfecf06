import { describe, expect, test } from "vitest";
import { type AnomalyRule, deviationOf, median, unusual } from "../../../src/domain/anomalies/index.ts";

test.each([
  { figures: [3n, 1n, 2n], middle: 2n, why: "the order does not matter" },
  { figures: [4n, 1n, 2n, 3n], middle: 2n, why: "of two in the middle the lower one" },
  { figures: [1n, 1n, 1_000_000n], middle: 1n, why: "one wild figure moves nothing" },
])("the median of $figures is $middle: $why", ({ figures, middle }) => expect(median(figures)).toBe(middle));

test("there is no middle of nothing", () => expect(() => median([])).toThrow(RangeError));

test.each([
  // Distances 10, 0, 10, 20 → in order 0, 10, 10, 20: 10. (200 − 100) × 10 ÷ 10
  { figure: 200n, others: [90n, 100n, 110n, 120n], spread: 10n, tenths: 100n, why: "ten spreads above" },
  // All alike: a twentieth of 1,000 is 50. (900 − 1,000) × 10 ÷ 50
  {
    figure: 900n,
    others: [1000n, 1000n, 1000n],
    spread: 50n,
    tenths: -20n,
    why: "two spreads below equal ones",
  },
  { figure: 3n, others: [0n, 0n], spread: 1n, tenths: 30n, why: "nothing before has the least spread" },
])("$figure after $others is $why", ({ figure, others, spread, tenths }) =>
  expect(deviationOf(figure, others, 1n)).toMatchObject({ spread, tenths }),
);

describe("what is unusual", () => {
  const rule: AnomalyRule = {
    kind: "invoice_unlike_history",
    isWatched: true,
    tenthsMin: 60,
    historyMin: 3,
    amountMin: 1_000n,
  };
  test.each([
    // A twentieth of 10,000 is 500: six of them are 3,000.
    { figure: 13_000n, before: [10_000n, 10_000n, 10_000n], isUnusual: true, why: "six spreads above" },
    { figure: 12_999n, before: [10_000n, 10_000n, 10_000n], isUnusual: false, why: "not quite six" },
    { figure: 0n, before: [10_000n, 10_000n, 10_000n], isUnusual: true, why: "far below" },
    { figure: 1_000n, before: [10n, 10n, 10n], isUnusual: false, why: "990 above: too little to matter" },
    { figure: 99_000n, before: [10_000n, 10_000n], isUnusual: false, why: "too little is known" },
  ])("$figure after $before: $why", ({ figure, before, isUnusual }) =>
    expect(unusual(figure, before, rule) !== undefined).toBe(isUnusual),
  );
});

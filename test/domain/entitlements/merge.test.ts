import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { instantOfEpochMs } from "../../../src/domain/calendar/index.ts";
import { type Combination, limitsOf } from "../../../src/domain/catalog/index.ts";
import { mergeEntitlements } from "../../../src/domain/entitlements/index.ts";
import { decimal, sumDecimals } from "../../../src/domain/money/index.ts";
import { anyMeteredSources, march, shuffled, sourceOf } from "./sources.ts";

const metered = { type: "metered" } as const;
const monthly = (quantity: string) => ({ quantity, window: { type: "calendar", unit: "month" } as const });

describe("limits", () => {
  test("the order in which sources are found does not matter", () => {
    fc.assert(
      fc.property(anyMeteredSources, fc.integer({ min: 0, max: 1_000 }), (sources, seed) => {
        expect(mergeEntitlements(metered, shuffled(sources, seed))).toEqual(
          mergeEntitlements(metered, sources),
        );
      }),
    );
  });

  test("what sources that count give is in the limits, all of it, or there is no limit", () => {
    fc.assert(
      fc.property(anyMeteredSources, (sources) => {
        const merged = mergeEntitlements(metered, sources);
        const given = (merged?.sources ?? []).map(({ entitlement }) => limitsOf(entitlement));
        if (given.includes(null)) {
          expect(merged?.limits).toBeNull();
          return;
        }
        const quantities = given
          .flatMap((limits) => limits ?? [])
          .map(({ quantity = "0" }) => decimal(quantity));
        const amounts = (merged?.limits ?? []).map(({ amount }) => amount);
        expect(sumDecimals(amounts).text).toBe(sumDecimals(quantities).text);
      }),
    );
  });

  test("another grant never takes anything away", () => {
    fc.assert(
      fc.property(anyMeteredSources, anyMeteredSources, (sources, [added]) => {
        if (added === undefined) return;
        const before = mergeEntitlements(metered, sources);
        const after = mergeEntitlements(metered, [...sources, { ...added, kind: "grant", id: "added" }]);
        if (after?.limits === null || before?.limits == null) return;
        for (const limit of before.limits) {
          const { amount: _amount, sources: _sources, since: _since, ...subject } = limit;
          const same = after?.limits?.find((each) => {
            const { amount: _a, sources: _s, since: _t, ...other } = each;
            return JSON.stringify(other) === JSON.stringify(subject);
          });
          expect(same?.amount.isLessThan(limit.amount)).toBe(false);
        }
      }),
    );
  });

  test("the newest contract stands in the place of plans, add-ons and older contracts; grants are on top", () => {
    const later = instantOfEpochMs(march + 1);
    const merged = mergeEntitlements(metered, [
      sourceOf({ limits: [monthly("1")] }),
      sourceOf({ limits: [monthly("10")] }, { kind: "contract", id: "old", since: march }),
      sourceOf({ limits: [monthly("100")] }, { kind: "contract", id: "new", since: later }),
      sourceOf({ limits: [monthly("1000")] }, { kind: "grant", id: "more", since: march }),
    ]);
    expect(merged?.limits?.map(({ amount, since }) => [amount.text, since])).toEqual([["1100", march]]);
    expect(merged?.sources.map(({ id }) => id)).toEqual(["new", "more"]);
  });

  test("windows, dimensions and what follows keep limits apart; billing cycles of two subscriptions too", () => {
    const cycle = (subscriptionId: string) => ({
      subscriptionId,
      period: { start: march, end: instantOfEpochMs(march + 1) },
    });
    const merged = mergeEntitlements(metered, [
      sourceOf({ limit: "5" }, { cycle: cycle("a"), id: "a" }),
      sourceOf({ limit: "6" }, { cycle: cycle("a"), id: "a", kind: "add_on" }),
      sourceOf({ limit: "7" }, { cycle: cycle("b"), id: "b" }),
      sourceOf({
        limits: [
          { ...monthly("8"), beyond: "charged" },
          { ...monthly("9"), per: ["user"] },
        ],
      }),
    ]);
    expect(merged?.limits?.map(({ amount }) => amount.text).toSorted()).toEqual(["11", "7", "8", "9"]);
  });
});

test.each<{ combine: Combination; values: string[]; setting: string }>([
  { combine: "first", values: ["eu", "us"], setting: "eu" },
  { combine: "highest", values: ["5", "20", "7.5"], setting: "20" },
  { combine: "lowest", values: ["5", "20", "7.5"], setting: "5" },
  { combine: "sum", values: ["5", "20", "7.5"], setting: "32.5" },
])("of $values the $combine is $setting", ({ combine, values, setting }) => {
  const sources = values.map((value, index) => sourceOf({ value }, { id: `s${index}` }));
  expect(mergeEntitlements({ type: "config", combine }, sources)?.setting).toBe(setting);
});

test.each<{ combine: Combination; lists: string[][]; setting: string[] }>([
  { combine: "union", lists: [["small"], ["large", "small"]], setting: ["large", "small"] },
  {
    combine: "intersection",
    lists: [
      ["small", "tiny"],
      ["large", "small"],
    ],
    setting: ["small"],
  },
  { combine: "intersection", lists: [["small"], []], setting: [] },
])("the $combine of $lists is $setting", ({ combine, lists, setting }) => {
  const sources = lists.map((values, index) => sourceOf({ values }, { id: `s${index}` }));
  expect(mergeEntitlements({ type: "config", combine }, sources)?.setting).toEqual(setting);
});

test("without a source there is nothing", () => {
  expect(mergeEntitlements(metered, [])).toBeNull();
});

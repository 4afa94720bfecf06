import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { instantOfEpochMs } from "../../../src/domain/calendar/index.ts";
import type { Feature } from "../../../src/domain/catalog/index.ts";
import {
  decide,
  decidingLimit,
  fitsAgainAt,
  isAllowed,
  type LimitState,
  limitState,
  type MergedLimit,
  mergeEntitlements,
} from "../../../src/domain/entitlements/index.ts";
import { type Decimal, decimal } from "../../../src/domain/money/index.ts";
import { march, sourceOf } from "./sources.ts";

const requests: Feature = { key: "requests", name: "Requests", type: "metered", meter: "requests" };

interface Said {
  readonly used: string | null;
  readonly amount?: string;
  readonly beyond?: "denied" | "charged";
  readonly per?: readonly string[];
  readonly resetsIn?: number | null;
}

function stateOf({ used, amount = "10", beyond = "denied", per = [], resetsIn = 100 }: Said): LimitState {
  const limit: MergedLimit = {
    ...{ amount: decimal(amount), window: { type: "never" }, per, where: {}, beyond },
    ...{ cycle: null, since: march, sources: [] },
  };
  const resetsAt = resetsIn === null ? null : instantOfEpochMs(march + resetsIn);
  const asked = { asked: decimal("1"), aggregation: "sum" } as const;
  return limitState(limit, { period: null, resetsAt }, used === null ? null : decimal(used), asked);
}

const given = mergeEntitlements(requests, [
  sourceOf({ limits: [{ quantity: "10", window: { type: "never" } }] }),
]);
const granted = { level: "granted", next: null } as const;
const facts = { feature: requests, access: granted, merged: given, hindrance: null, limits: [], budgets: [] };
const spent = { feature: "spending", state: stateOf({ used: "10" }) };

describe("the first that denies is the reason", () => {
  test.each([
    { over: { access: { ...granted, level: "ended" as const }, merged: null }, reason: "access_ended" },
    { over: { access: { ...granted, level: "limited" as const } }, reason: "access_limited" },
    {
      over: {
        access: { ...granted, level: "limited" as const },
        feature: { ...requests, whenLimited: "allowed" as const },
      },
      reason: "within_limits",
    },
    { over: { merged: null }, reason: "not_entitled" },
    {
      over: { merged: null, hindrance: { code: "subscription_paused" as const, subscriptionId: "s" } },
      reason: "subscription_paused",
    },
    { over: { limits: [stateOf({ used: null }), stateOf({ used: "10" })] }, reason: "subject_missing" },
    { over: { limits: [stateOf({ used: "9" })] }, reason: "within_limits" },
    { over: { limits: [stateOf({ used: "10" })], budgets: [spent] }, reason: "limit_reached" },
    { over: { limits: [stateOf({ used: "10", beyond: "charged" })] }, reason: "beyond_allowance" },
    {
      over: { limits: [stateOf({ used: "10", beyond: "charged" })], budgets: [spent] },
      reason: "budget_reached",
    },
    { over: { merged: given && { ...given, limits: null } }, reason: "unlimited" },
  ])("$reason", ({ over, reason }) => {
    expect(decide({ ...facts, ...over }).reason).toBe(reason);
  });

  test("never allowed where a limit that denies does not fit", () => {
    const anyState = fc
      .record({
        used: fc.integer({ min: 0, max: 20 }).map(String),
        beyond: fc.constantFrom("denied" as const, "charged" as const),
        resetsIn: fc.option(fc.integer({ min: 0, max: 100 })),
      })
      .map(stateOf);
    fc.assert(
      fc.property(fc.array(anyState, { maxLength: 5 }), (limits) => {
        const decision = decide({ ...facts, limits });
        const isOver = limits.some(({ fits, limit }) => !fits && limit.beyond === "denied");
        expect(isAllowed(decision)).toBe(!isOver);
        if (isOver) expect(decision.limit?.fits).toBe(false);
      }),
    );
  });
});

test("of limits that are reached the one that holds longest decides, then the narrowest", () => {
  const day = stateOf({ used: "10", resetsIn: 1 });
  const month = stateOf({ used: "10", resetsIn: 30 });
  const user = stateOf({ used: "10", resetsIn: 30, per: ["user"] });
  const never = stateOf({ used: "10", resetsIn: null });
  expect(decidingLimit([day, month, user])).toBe(user);
  expect(decidingLimit([day, never, month])).toBe(never);
  expect(decidingLimit([])).toBeUndefined();
});

describe("when it fits again into a rolling window", () => {
  const anyUsage = fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 12 });
  const lengthMs = 1_000;
  const usageOf = (quantities: readonly number[]) =>
    quantities.map((quantity, index) => ({
      end: instantOfEpochMs(index + 1),
      quantity: decimal(`${quantity}`),
    }));
  const leftAt = (quantities: readonly number[], at: number): number =>
    quantities.reduce((sum, quantity, index) => (index + 1 + lengthMs > at ? sum + quantity : sum), 0);

  test("it fits then, and not a moment before", () => {
    fc.assert(
      fc.property(
        anyUsage,
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 20 }),
        (used, amount, asked) => {
          const at = fitsAgainAt(exact(amount), exact(asked), usageOf(used), lengthMs);
          if (asked > amount) {
            expect(at).toBeNull();
            return;
          }
          if (at === null) {
            expect(used).toEqual([]);
            return;
          }
          expect(leftAt(used, at) + asked).toBeLessThanOrEqual(amount);
          const isFirst = at === 1 + lengthMs;
          if (!isFirst) expect(leftAt(used, at - 1) + asked).toBeGreaterThan(amount);
        },
      ),
    );
  });
});

const exact = (whole: number): Decimal => decimal(`${whole}`);

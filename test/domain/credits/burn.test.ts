import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  BurnAmountInvalidError,
  type BurnOrder,
  burn,
  burnOrders,
  type CreditGrant,
  spendingOrder,
  unburn,
} from "../../../src/domain/credits/index.ts";
import { currency, ledgerAmount } from "../../../src/domain/money/index.ts";
import { anyGrants } from "./any-grants.ts";
import { a, b, c, day, drawsText, grant, proLarge, start, tokens } from "./grants.ts";

describe("burn 10 of A(priority 1, day 30, 5), B(priority 0, never, 4), C(priority 1, day 10, 3)", () => {
  const { draws, uncovered } = burn([a, b, c], ledgerAmount(10n), day(1));

  test("takes B 4, C 3, A 3: priority, then the soonest to expire", () => {
    expect(draws).toEqual([
      { grantId: "B", amount: 4n },
      { grantId: "C", amount: 3n },
      { grantId: "A", amount: 3n },
    ]);
    expect(uncovered).toBe(0n);
  });

  test("and a refund of 4 gives back A 3, C 1: the newest draw first", () => {
    expect(unburn(draws, ledgerAmount(4n))).toEqual({
      restored: [
        { grantId: "A", amount: 3n },
        { grantId: "C", amount: 1n },
      ],
      excess: 0n,
    });
  });

  test("a refund of 13 gives back the 10 that were drawn; 3 never were", () => {
    const { restored, excess } = unburn(draws, ledgerAmount(13n));
    expect(restored.map(({ grantId }) => grantId)).toEqual(["A", "C", "B"]);
    expect(excess).toBe(3n);
  });
});

test.each<{ order: BurnOrder; draws: string; why: string }>([
  {
    order: "priority_first",
    draws: "B4, C3, A3",
    why: "priority 0; then of priority 1 the sooner to expire",
  },
  { order: "expiry_first", draws: "C3, A5, B2", why: "day 10, day 30, never" },
  { order: "rollover_first", draws: "B4, C3, A3", why: "nothing was rolled over: priority, then expiry" },
])("burn 10 of the same by $order takes $draws: $why", ({ order, draws }) => {
  expect(drawsText(burn([a, b, c], ledgerAmount(10n), day(1), order).draws)).toBe(draws);
});

test.each([
  { first: { priority: 1 }, second: { priority: 2, expiresAt: day(2) }, why: "priority before expiry" },
  { first: { expiresAt: day(2) }, second: { expiresAt: day(3) }, why: "the soonest to expire" },
  { first: { expiresAt: day(900) }, second: { expiresAt: null }, why: "never is last" },
  {
    first: { expiresAt: day(2) },
    second: { expiresAt: day(3), kind: "promotional" as const },
    why: "expiry before kind",
  },
  { first: { kind: "promotional" as const }, second: { createdAt: day(-1) }, why: "promotional before paid" },
  { first: { kind: "goodwill" as const }, second: { createdAt: day(-1) }, why: "goodwill before paid" },
  {
    first: { kind: "goodwill" as const, createdAt: day(-1) },
    second: { kind: "promotional" as const },
    why: "between gifts and goodwill, created first",
  },
  { first: { scope: [tokens] }, second: { effectiveAt: day(-1) }, why: "what pays fewer things" },
  { first: { scope: [tokens] }, second: { scope: [tokens, proLarge] }, why: "one scope before two" },
  { first: { kind: "goodwill" as const }, second: { scope: [tokens] }, why: "given before scope" },
  { first: { effectiveAt: day(-1) }, second: { createdAt: day(-1) }, why: "effective first" },
  { first: { createdAt: day(-1) }, second: {}, why: "created first" },
])("$first is spent before $second: $why", ({ first, second }) => {
  // The ids run the other way, so that only the rule can decide.
  const order = spendingOrder([grant("a", second), grant("z", first)], day(1));
  expect(order.map(({ id }) => id)).toEqual(["z", "a"]);
});

test.each([
  { first: { isRollover: true }, second: { priority: -1 }, why: "what went over" },
  { first: { priority: 1 }, second: { priority: 2, expiresAt: day(2) }, why: "then priority" },
  { first: { kind: "goodwill" as const }, second: { expiresAt: day(2) }, why: "given before expiry" },
  { first: { scope: [tokens] }, second: { expiresAt: day(2) }, why: "fewest scopes before expiry" },
])("by rollover_first, $first is spent before $second: $why", ({ first, second }) => {
  const order = spendingOrder([grant("a", second), grant("z", first)], day(1), "rollover_first");
  expect(order.map(({ id }) => id)).toEqual(["z", "a"]);
});

test("the id decides between equal grants, however they are given", () => {
  const ids = (grants: CreditGrant[]) => spendingOrder(grants, day(1)).map(({ id }) => id);
  expect(ids([grant("b"), grant("a"), grant("c")])).toEqual(["a", "b", "c"]);
});

test.each([
  { over: { remaining: ledgerAmount(0n) }, why: "empty" },
  { over: { effectiveAt: day(2) }, why: "not effective yet" },
  { over: { expiresAt: day(1) }, why: "expires in this instant" },
])("a grant that is $why is not spent", ({ over }) => {
  expect(burn([grant("a", over)], ledgerAmount(1n), day(1))).toEqual({ draws: [], uncovered: 1n });
});

test("a negative amount and mixed currencies are refused", () => {
  expect(() => burn([a], ledgerAmount(-1n), day(1))).toThrow(BurnAmountInvalidError);
  expect(() => unburn([], ledgerAmount(-1n))).toThrow(BurnAmountInvalidError);
  const inEuro = grant("e", { currency: currency("eur") });
  expect(() => burn([a, inEuro], ledgerAmount(1n), day(1))).toThrow(BurnAmountInvalidError);
});

test("draws and the uncovered rest sum to the amount, no grant gives more than it has, and unburn undoes it all", () => {
  fc.assert(
    fc.property(anyGrants, fc.bigInt(0n, 200n), (grants, wanted) => {
      const { draws, uncovered } = burn(grants, ledgerAmount(wanted), start);
      const drawn = draws.reduce((sum, { amount }) => sum + amount, 0n);
      expect(drawn + uncovered).toBe(wanted);
      for (const { grantId, amount } of draws) {
        expect(amount).toBeGreaterThan(0n);
        expect(amount).toBeLessThanOrEqual(grants.find(({ id }) => id === grantId)?.remaining ?? 0n);
      }
      expect(unburn(draws, ledgerAmount(drawn))).toEqual({ restored: draws.toReversed(), excess: 0n });
    }),
  );
});

test("in every order, the grants come in the same one however they are given", () => {
  const orders = fc.constantFrom(...(Object.keys(burnOrders) as BurnOrder[]));
  const shuffled = anyGrants.chain((grants) =>
    fc.tuple(fc.constant(grants), fc.shuffledSubarray(grants, { minLength: grants.length })),
  );
  fc.assert(
    fc.property(shuffled, orders, fc.bigInt(0n, 200n), ([grants, other], order, wanted) => {
      const burned = burn(grants, ledgerAmount(wanted), day(1), order);
      expect(burn(other, ledgerAmount(wanted), day(1), order)).toEqual(burned);
    }),
  );
});

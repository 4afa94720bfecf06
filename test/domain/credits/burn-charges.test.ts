import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  BurnAmountInvalidError,
  burnCharges,
  type CreditGrant,
  type CreditPolicy,
  inBurnOrder,
  mayPay,
  type UsageCharge,
  usualCreditPolicy,
} from "../../../src/domain/credits/index.ts";
import { ledgerAmount } from "../../../src/domain/money/index.ts";
import { anyGrants } from "./any-grants.ts";
import { charge, day, fastModels, grant, proLarge, storage, tokens } from "./grants.ts";

const sold = day(31);

describe("scope", () => {
  const charges = [
    charge(10n),
    charge(10n, { line: 1, price: { planKey: "pro", priceKey: "small" }, feature: "fast_models" }),
    charge(10n, { line: 2, product: "storage", price: { planKey: "pro", priceKey: "storage" } }),
    charge(10n, { line: 3, product: "minimum", price: null }),
  ];
  const amount = ledgerAmount(100n);

  test.each([
    { scope: undefined, lines: [0, 1, 2, 3], why: "everything" },
    { scope: [tokens], lines: [0, 1], why: "one product" },
    { scope: [tokens, storage], lines: [0, 1, 2], why: "either product" },
    { scope: [proLarge], lines: [0], why: "one price of one plan" },
    { scope: [{ ...proLarge, planKey: "team" }], lines: [], why: "that price of another plan" },
    { scope: [storage, proLarge], lines: [0, 2], why: "a product or a price" },
    { scope: [fastModels], lines: [1], why: "a feature that the price belongs to" },
    { scope: [proLarge, fastModels], lines: [0, 1], why: "a price or a feature" },
    { scope: [{ ...fastModels, feature: "sso" }], lines: [], why: "a feature that no price belongs to" },
  ])("$scope pays lines $lines: $why", ({ scope, lines }) => {
    const only = grant("g", { remaining: amount, ...(scope === undefined ? {} : { scope }) });
    const { draws, uncovered } = burnCharges([only], charges, sold);
    expect(draws).toEqual(lines.map((line) => ({ line, grantId: "g", amount: 10n })));
    expect(uncovered).toBe(40n - 10n * BigInt(lines.length));
  });

  test("credit for one thing is spent on it before credit for everything, which is left for the rest", () => {
    const grants = [grant("any", { remaining: ledgerAmount(10n) }), grant("tokens", { scope: [tokens] })];
    const lines = [charge(8n), charge(8n, { line: 1, product: "storage" })];
    expect(burnCharges(grants, lines, sold).draws).toEqual([
      { line: 0, grantId: "tokens", amount: 5n },
      { line: 0, grantId: "any", amount: 3n },
      { line: 1, grantId: "any", amount: 7n },
    ]);
  });
});

describe("when the grant was in force", () => {
  const february = { start: day(31), end: day(59) };
  const closing = day(60);
  const early = { start: day(31), end: day(40) };
  const late = { start: day(40), end: day(59) };

  test.each<{
    grant: Partial<CreditGrant>;
    used: UsageCharge["used"];
    pays: Record<CreditPolicy["earlierUsage"], boolean>;
    why: string;
  }>([
    {
      grant: { effectiveAt: day(35) },
      used: early,
      pays: { same_period: true, none: false, unbilled: true },
      why: "used before, in the period in which it takes effect",
    },
    {
      grant: { effectiveAt: day(35) },
      used: late,
      pays: { same_period: true, none: true, unbilled: true },
      why: "used after",
    },
    {
      grant: { effectiveAt: day(59) },
      used: late,
      pays: { same_period: false, none: false, unbilled: true },
      why: "it takes effect when the period is over, and before it is billed",
    },
    {
      grant: { effectiveAt: day(61) },
      used: late,
      pays: { same_period: false, none: false, unbilled: false },
      why: "it is not in force when it is billed",
    },
    {
      grant: { expiresAt: day(40) },
      used: late,
      pays: { same_period: false, none: false, unbilled: false },
      why: "used in the instant in which it ends",
    },
    {
      grant: { expiresAt: day(59) },
      used: late,
      pays: { same_period: true, none: true, unbilled: true },
      why: "it ended after that, before it was billed",
    },
  ])("$why: $pays", ({ grant: over, used, pays }) => {
    const given = grant("g", over);
    for (const [earlierUsage, expected] of Object.entries(pays)) {
      const policy = { ...usualCreditPolicy, earlierUsage: earlierUsage as CreditPolicy["earlierUsage"] };
      const { draws } = burnCharges([given], [charge(1n, { used, billed: february })], closing, policy);
      expect([earlierUsage, draws.length === 1]).toEqual([earlierUsage, expected]);
    }
  });
});

test("the parts of a line are one draw", () => {
  const parts = [charge(2n), charge(2n, { used: { start: day(5), end: day(31) } })];
  expect(burnCharges([grant("g")], parts, sold).draws).toEqual([{ line: 0, grantId: "g", amount: 4n }]);
});

test("a negative charge, mixed currencies and two grants of one id are refused", () => {
  expect(() => burnCharges([], [charge(-1n)], sold)).toThrow(BurnAmountInvalidError);
  expect(() => burnCharges([grant("g"), grant("g")], [], sold)).toThrow(BurnAmountInvalidError);
});

const anyCharges = fc
  .array(
    fc.record({
      amount: fc.bigInt(0n, 60n),
      product: fc.constantFrom("tokens", "storage", "other"),
      at: fc.integer({ min: 0, max: 6 }),
    }),
    { maxLength: 6 },
  )
  .map((records) =>
    records.map(({ amount, product, at }, line) =>
      charge(amount, { line, product, used: { start: day(at), end: day(31) } }),
    ),
  );

test("draws sum with what is uncovered to the charges, no grant gives more than it has, and none pays what it may not", () => {
  fc.assert(
    fc.property(anyGrants, anyCharges, (grants, charges) => {
      const { draws, uncovered } = burnCharges(grants, charges, sold);
      const sum = (amounts: readonly { amount: bigint }[]) =>
        amounts.reduce((total, { amount }) => total + amount, 0n);
      expect(sum(draws) + uncovered).toBe(sum(charges));
      for (const { id, remaining } of grants) {
        expect(sum(draws.filter(({ grantId }) => grantId === id))).toBeLessThanOrEqual(remaining);
      }
      for (const { grantId, line, amount } of draws) {
        const [from, of] = [grants.find(({ id }) => id === grantId), charges[line]];
        expect(amount > 0n && from && of && mayPay(from, of, sold, usualCreditPolicy)).toBe(true);
      }
      // Nothing stays unpaid that a grant with something left may pay.
      const left = grants.filter(
        ({ id, remaining }) => sum(draws.filter(({ grantId }) => grantId === id)) < remaining,
      );
      for (const [line, of] of charges.entries()) {
        if (sum(draws.filter((draw) => draw.line === line)) === of.amount) continue;
        expect(left.filter((from) => mayPay(from, of, sold, usualCreditPolicy))).toEqual([]);
      }
    }),
  );
});

test("grant by grant, each paying what charges it may, comes to the same as charge by charge", () => {
  fc.assert(
    fc.property(anyGrants, anyCharges, (grants, charges) => {
      const due = charges.map(({ amount }): bigint => amount);
      const drawn = new Map<string, bigint>();
      for (const from of inBurnOrder(grants, "priority_first")) {
        let left: bigint = from.remaining;
        for (const [line, of] of charges.entries()) {
          if (!mayPay(from, of, sold, usualCreditPolicy)) continue;
          const open = due[line] ?? 0n;
          const amount = left < open ? left : open;
          if (amount === 0n) continue;
          left -= amount;
          due[line] = open - amount;
          drawn.set(`${line}/${from.id}`, amount);
        }
      }
      const { draws } = burnCharges(grants, charges, sold);
      expect(new Map(draws.map(({ line, grantId, amount }) => [`${line}/${grantId}`, amount]))).toEqual(
        drawn,
      );
    }),
  );
});

test("the order in which grants are given does not matter", () => {
  const shuffled = anyGrants.chain((grants) =>
    fc.tuple(fc.constant(grants), fc.shuffledSubarray(grants, { minLength: grants.length })),
  );
  fc.assert(
    fc.property(shuffled, anyCharges, ([grants, other], charges) => {
      expect(burnCharges(other, charges, sold)).toEqual(burnCharges(grants, charges, sold));
    }),
  );
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { allocate, money, negativeRules, remainderRules } from "../../../src/domain/money/index.ts";

describe("allocation by largest remainder", () => {
  test.each([
    { total: 1000n, weights: [1n, 1n], parts: [500n, 500n], why: "halves" },
    {
      total: 100n,
      weights: [1n, 1n, 1n],
      parts: [34n, 33n, 33n],
      why: "equal remainders: the first gets the cent",
    },
    { total: 100n, weights: [1n, 2n], parts: [33n, 67n], why: "33.33 and 66.67: the second lost more" },
    { total: 5n, weights: [3n, 3n, 1n], parts: [2n, 2n, 1n], why: "2.14, 2.14, 0.71: the third lost most" },
    { total: 7n, weights: [0n, 1n], parts: [0n, 7n], why: "no weight, nothing" },
    { total: 0n, weights: [1n, 1n], parts: [0n, 0n], why: "nothing to divide" },
    { total: -100n, weights: [1n, 1n, 1n], parts: [-34n, -33n, -33n], why: "the mirror of the positive" },
  ])("$total by $weights is $parts: $why", ({ total, weights, parts }) => {
    expect(allocate(money(total, "usd"), weights)).toEqual(parts.map((part) => money(part, "usd")));
  });

  test.each([{ weights: [] }, { weights: [0n, 0n] }, { weights: [1n, -1n, 1n] }])(
    "weights $weights are a bug",
    ({ weights }) => {
      expect(() => allocate(money(1n, "usd"), weights)).toThrow(/invariant/);
    },
  );
});

describe("the choices of an allocation", () => {
  test.each([
    {
      total: 10_000n,
      options: { remainder: "last" },
      parts: [3333n, 3333n, 3334n],
      why: "the last takes the cent",
    },
    {
      total: -10_000n,
      options: { remainder: "last" },
      parts: [-3333n, -3333n, -3334n],
      why: "and gives it back",
    },
    {
      total: 2n,
      options: { remainder: "last" },
      parts: [1n, 1n, 0n],
      why: "0.67 is 1, twice; nothing is left",
    },
    {
      total: -100n,
      options: { negative: "floored" },
      parts: [-33n, -33n, -34n],
      why: "-34 each, and 2 back",
    },
    {
      total: 100n,
      options: { negative: "floored" },
      parts: [34n, 33n, 33n],
      why: "only negative ones differ",
    },
  ] as const)("$total in thirds, $options, is $parts: $why", ({ total, options, parts }) => {
    const allocated = allocate(money(total, "usd"), [1n, 1n, 1n], options);
    expect(allocated).toEqual(parts.map((part) => money(part, "usd")));
  });
});

const anyOptions = fc.record({
  remainder: fc.constantFrom(...remainderRules),
  negative: fc.constantFrom(...negativeRules),
});
const anyCents = fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n });
const anyWeights = fc
  .array(fc.bigInt({ min: 0n, max: 10n ** 12n }), { minLength: 1, maxLength: 20 })
  .filter((weights) => weights.some((weight) => weight > 0n));

test("INV-3: the parts of an allocation sum to the whole", () => {
  fc.assert(
    fc.property(anyCents, anyWeights, anyOptions, (total, weights, options) => {
      const parts = allocate(money(total, "usd"), weights, options);
      expect(parts).toHaveLength(weights.length);
      expect(parts.reduce((sum, part) => sum + part.amountMinor, 0n)).toBe(total);
    }),
  );
});

test("INV-4: each part of an allocation is within one minor unit of its exact share", () => {
  fc.assert(
    fc.property(anyCents, anyWeights, (total, weights) => {
      const weightSum = weights.reduce((sum, weight) => sum + weight, 0n);
      allocate(money(total, "usd"), weights).forEach((part, index) => {
        const scaledError = part.amountMinor * weightSum - total * (weights[index] ?? 0n);
        expect(scaledError < weightSum && scaledError > -weightSum).toBe(true);
      });
    }),
  );
});

import fc from "fast-check";
import { expect, test } from "vitest";
import type { PriceAdjustment } from "../../../src/domain/catalog/index.ts";
import { decimal, sumDecimals, sumMoney } from "../../../src/domain/money/index.ts";
import { adjustCharges, type Charge } from "../../../src/domain/pricing/index.ts";
import { cap, charge, commitment, context, minimum, off, percentOff, usd } from "./adjustments.ts";

const anyMinor = fc
  .tuple(fc.nat(1_000_000), fc.constantFrom("", ".5", ".00000001", ".33333333"))
  .map(([whole, fraction]) => `${whole}${fraction}`);

const anyCharges = fc
  .array(anyMinor, { minLength: 1, maxLength: 6 })
  .map((amounts) => amounts.map((minor, index) => charge(`price-${index}`, minor)));

const anyLimit = fc.nat(3_000_000).map(String);

const anyAdjustment: fc.Arbitrary<PriceAdjustment> = fc.oneof(
  anyLimit.map(minimum),
  anyLimit.map(cap),
  anyLimit.map(off),
  fc.nat(100).map((percent) => percentOff(String(percent))),
  fc
    .tuple(anyLimit, fc.constantFrom("0", "0.5", "1", "1.5", "3"))
    .map(([limit, factor]) => commitment(limit, factor)),
);

const anyAdjustments = fc
  .array(anyAdjustment, { maxLength: 5 })
  .map((list) => list.map((adjustment, index) => ({ ...adjustment, key: `${adjustment.key}-${index}` })));

/** Every charge as all adjustments leave it, those included that they made. */
function afterAll(charges: readonly Charge[], adjustments: readonly PriceAdjustment[]) {
  const parts = adjustCharges(charges, adjustments, context);
  const made = parts.filter(({ kind }) => kind === "true_up").map((part) => part.charge);
  return [...charges, ...made].map((each) => {
    const onIt = parts.filter((part) => part.charge === each && part.kind !== "true_up");
    return {
      exact: sumDecimals([each.exactMinor, ...onIt.map(({ exactMinor }) => exactMinor)]),
      amount: sumMoney([each.amount, ...onIt.map(({ amount }) => amount)], usd).amountMinor,
    };
  });
}

const totalOf = (charges: ReturnType<typeof afterAll>) => sumDecimals(charges.map(({ exact }) => exact));

test("INV-29: no adjustment leaves less than nothing of a charge, exact or rounded", () => {
  fc.assert(
    fc.property(anyCharges, anyAdjustments, (charges, adjustments) => {
      for (const { exact, amount } of afterAll(charges, adjustments)) {
        expect(exact.isNegative()).toBe(false);
        expect(amount >= 0n).toBe(true);
      }
    }),
  );
});

test("INV-30: under a minimum and a cap the charges come to no less and no more, exact and in lines", () => {
  fc.assert(
    fc.property(anyCharges, anyLimit, anyLimit, (charges, one, other) => {
      const [low, high] = BigInt(one) < BigInt(other) ? [one, other] : [other, one];
      const after = afterAll(charges, [minimum(low), cap(high)]);
      const before = sumDecimals(charges.map(({ exactMinor }) => exactMinor));
      const wanted = before.isLessThan(decimal(low))
        ? low
        : before.isGreaterThan(decimal(high))
          ? high
          : before.text;
      expect(totalOf(after).text).toBe(decimal(wanted).text);
      const billed = after.reduce((sum, { amount }) => sum + amount, 0n);
      expect(billed <= BigInt(high)).toBe(true);
      if (before.isLessThan(decimal(low))) expect(billed >= BigInt(low)).toBe(true);
    }),
  );
});

test("INV-31: the parts of an adjustment sum to the whole: an amount off takes off exactly the amount, or all", () => {
  fc.assert(
    fc.property(anyCharges, anyLimit, (charges, amount) => {
      const before = sumDecimals(charges.map(({ exactMinor }) => exactMinor));
      const after = totalOf(afterAll(charges, [off(amount)]));
      const taken = before.isLessThan(decimal(amount)) ? before : decimal(amount);
      expect(before.minus(after).text).toBe(taken.text);
    }),
  );
});

test("INV-32: what a commitment adds is exactly the factor of what is above it", () => {
  fc.assert(
    fc.property(anyCharges, anyLimit, (charges, limit) => {
      const before = sumDecimals(charges.map(({ exactMinor }) => exactMinor));
      const above = before.minus(decimal(limit));
      const expected = above.isNegative()
        ? decimal(limit)
        : before.plus(above.times(decimal("0.5")).rounded(8, "half-even"));
      expect(totalOf(afterAll(charges, [commitment(limit, "1.5")])).text).toBe(
        before.isZero() && above.isZero() ? "0" : expected.text,
      );
    }),
  );
});

import fc from "fast-check";
import { expect, test } from "vitest";
import type { Tier, UsageModel } from "../../../src/domain/catalog/index.ts";
import { decimal, sumDecimals } from "../../../src/domain/money/index.ts";
import { rateDifference, rateUsage } from "../../../src/domain/rating/index.ts";

const anyPrice = fc
  .tuple(fc.nat({ max: 100_000 }), fc.integer({ min: 0, max: 10 ** 12 - 1 }))
  .map(([whole, trillionths]) => `${whole}.${String(trillionths).padStart(12, "0")}`);

const anyTier = fc.record({
  width: fc.integer({ min: 1, max: 50 }),
  unitPriceMinor: anyPrice,
  flatMinor: anyPrice,
});

/** One to six tiers of random widths, the last without end. */
const anyTiers: fc.Arbitrary<Tier[]> = fc.array(anyTier, { minLength: 1, maxLength: 6 }).map((widths) => {
  let end = 0;
  return widths.map(({ width, unitPriceMinor, flatMinor }, index) => {
    end += width;
    return { upTo: index === widths.length - 1 ? null : String(end), unitPriceMinor, flatMinor };
  });
});

const perUnit: fc.Arbitrary<UsageModel> = anyPrice.map((unitPriceMinor) => ({
  type: "per_unit",
  unitPriceMinor,
}));
const graduated: fc.Arbitrary<UsageModel> = anyTiers.map((tiers) => ({ type: "graduated", tiers }));
const volume: fc.Arbitrary<UsageModel> = anyTiers.map((tiers) => ({ type: "volume", tiers }));
const packaged: fc.Arbitrary<UsageModel> = fc.record({
  type: fc.constant("package"),
  packageSize: fc.integer({ min: 1, max: 40 }).map(String),
  packagePriceMinor: anyPrice,
  rounding: fc.constantFrom("up", "down"),
});
const stairstep: fc.Arbitrary<UsageModel> = anyTiers.map((tiers) => {
  // Steps that never fall, as their authors mean them.
  let price = decimal("0");
  const steps = tiers.map(({ upTo, flatMinor }) => {
    price = price.plus(decimal(flatMinor));
    return { upTo, priceMinor: price.text };
  });
  return { type: "stairstep", steps };
});
const percentage: fc.Arbitrary<UsageModel> = fc.integer({ min: 0, max: 10_000 }).map((hundredths) => ({
  type: "percentage",
  percent: decimal(`0.${String(hundredths).padStart(4, "0")}`).text,
}));
const anyModel = fc.oneof(perUnit, graduated, volume, packaged, stairstep, percentage);

const anyCount = fc.integer({ min: 0, max: 300 });
const anyQuantity = fc
  .tuple(anyCount, fc.integer({ min: 0, max: 999 }))
  .map(([units, thousandths]) => decimal(`${units}.${String(thousandths).padStart(3, "0")}`));

test("INV-13: the parts of a rated amount sum to it, and included and billable to the quantity", () => {
  fc.assert(
    fc.property(anyModel, anyQuantity, anyQuantity, (model, quantity, included) => {
      const rated = rateUsage(model, quantity, included);
      expect(sumDecimals(rated.tiers.map((tier) => tier.exactMinor))).toEqual(rated.exactMinor);
      expect(rated.includedQuantity.plus(rated.billableQuantity)).toEqual(quantity);
      for (const tier of rated.tiers) {
        expect(tier.quantity.times(tier.unitPriceMinor).plus(tier.flatMinor)).toEqual(tier.exactMinor);
      }
      if (model.type !== "package") {
        expect(sumDecimals(rated.tiers.map((tier) => tier.quantity))).toEqual(rated.billableQuantity);
      }
    }),
  );
});

test("INV-14: more usage never costs less, except where a volume price reaches its next tier", () => {
  fc.assert(
    fc.property(anyModel, anyQuantity, anyQuantity, anyQuantity, (model, quantity, more, included) => {
      const before = rateUsage(model, quantity, included);
      const after = rateUsage(model, quantity.plus(more), included);
      const sameTier = before.tiers[0]?.from.text === after.tiers[0]?.from.text;
      if (model.type !== "volume" || sameTier) {
        expect(after.exactMinor.isLessThan(before.exactMinor)).toBe(false);
      }
    }),
  );
});

test("a quantity below zero costs nothing, or what it would above zero, negative", () => {
  fc.assert(
    fc.property(anyModel, anyQuantity, anyQuantity, (model, quantity, included) => {
      const above = rateUsage(model, quantity, included);
      const mirrored = rateUsage(model, quantity.negated(), included, "mirrored");
      expect(mirrored.exactMinor).toEqual(above.exactMinor.negated());
      expect(sumDecimals(mirrored.tiers.map((tier) => tier.exactMinor))).toEqual(mirrored.exactMinor);
      expect(mirrored.includedQuantity.plus(mirrored.billableQuantity)).toEqual(mirrored.quantity);
      if (!quantity.isZero()) {
        expect(rateUsage(model, quantity.negated(), included).exactMinor).toEqual(decimal("0"));
      }
    }),
  );
});

test("INV-15: billing differences as usage comes in costs the same as billing it all at the end", () => {
  fc.assert(
    fc.property(
      anyModel,
      fc.array(anyQuantity, { maxLength: 8 }),
      anyQuantity,
      (model, arrivals, included) => {
        const differences = arrivals.map((arrival, index) => {
          const before = sumDecimals(arrivals.slice(0, index));
          return rateDifference(model, before, before.plus(arrival), included);
        });
        const atTheEnd = rateUsage(model, sumDecimals(arrivals), included);
        expect(sumDecimals(differences)).toEqual(atTheEnd.exactMinor);
      },
    ),
  );
});

test("INV-16: a graduated price is the sum of every unit at its own tier's price and each fee reached", () => {
  fc.assert(
    fc.property(anyTiers, anyCount, (tiers, count) => {
      let exactMinor = decimal("0");
      let tier = 0;
      for (let unit = 1; unit <= count; unit += 1) {
        const isFirst = unit === 1;
        const leaves = unit > Number(tiers[tier]?.upTo ?? Number.POSITIVE_INFINITY);
        if (leaves) tier += 1;
        if (isFirst || leaves) exactMinor = exactMinor.plus(decimal(tiers[tier]?.flatMinor ?? ""));
        exactMinor = exactMinor.plus(decimal(tiers[tier]?.unitPriceMinor ?? ""));
      }
      const rated = rateUsage({ type: "graduated", tiers }, decimal(String(count)), decimal("0"));
      expect(rated.exactMinor).toEqual(exactMinor);
    }),
  );
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decimal, decimalOfUnits, Fraction } from "../../../src/domain/money/index.ts";

describe("a fraction is rounded once", () => {
  test.each([
    { fraction: [1n, 3n], places: 4, mode: "half-even", rounded: "0.3333", why: "below half" },
    { fraction: [2n, 3n], places: 4, mode: "half-even", rounded: "0.6667", why: "above half" },
    { fraction: [5n, 2n], places: 0, mode: "half-even", rounded: "2", why: "a tie, to the even one" },
    { fraction: [7n, 2n], places: 0, mode: "half-even", rounded: "4", why: "a tie, to the even one" },
    { fraction: [-5n, 2n], places: 0, mode: "half-even", rounded: "-2", why: "a tie below zero" },
    { fraction: [5n, 2n], places: 0, mode: "half-up", rounded: "3", why: "a tie, away from zero" },
    { fraction: [-5n, 2n], places: 0, mode: "half-up", rounded: "-3", why: "a tie, away from zero" },
    { fraction: [19n, 10n], places: 0, mode: "down", rounded: "1", why: "towards zero" },
    { fraction: [-19n, 10n], places: 0, mode: "down", rounded: "-1", why: "towards zero" },
    { fraction: [11n, 10n], places: 0, mode: "up", rounded: "2", why: "away from zero" },
    { fraction: [-1n, 3n], places: 0, mode: "half-even", rounded: "0", why: "never -0" },
    { fraction: [6n, 4n], places: 20, mode: "up", rounded: "1.5", why: "nothing to round" },
  ] as const)(
    "$fraction to $places places, $mode, is $rounded: $why",
    ({ fraction, places, mode, rounded }) => {
      expect(new Fraction(fraction[0], fraction[1]).rounded(places, mode).text).toBe(rounded);
    },
  );
});

test.each([
  { fraction: [7n, 2n], floor: "3", ceil: "4" },
  { fraction: [-7n, 2n], floor: "-4", ceil: "-3" },
  { fraction: [6n, 2n], floor: "3", ceil: "3" },
  { fraction: [-1n, 3n], floor: "-1", ceil: "0" },
] as const)("$fraction lies from $floor to $ceil", ({ fraction, floor, ceil }) => {
  const exact = new Fraction(fraction[0], fraction[1]);
  expect([exact.floor(), exact.ceil()].map((whole) => whole.rounded(0, "down").text)).toEqual([floor, ceil]);
});

test("INV-28: fractions of decimals come to what decimals come to, and rounding agrees with theirs", () => {
  const anyDecimal = fc
    .tuple(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), fc.nat(12))
    .map(([units, places]) => decimalOfUnits(units, places));
  const anyMode = fc.constantFrom("half-even", "half-up", "down", "up");
  fc.assert(
    fc.property(anyDecimal, anyDecimal, fc.nat(20), anyMode, (left, right, places, mode) => {
      const [one, other] = [Fraction.ofDecimal(left), Fraction.ofDecimal(right)];
      expect(one.plus(other).rounded(24, "down")).toEqual(left.plus(right));
      expect(one.minus(other).rounded(24, "down")).toEqual(left.minus(right));
      expect(one.times(other).rounded(24, "down")).toEqual(left.times(right));
      expect(one.compare(other)).toBe(left.compare(right));
      expect(one.rounded(places, mode)).toEqual(left.rounded(places, mode));
      if (right.isZero()) return;
      expect(one.dividedBy(other).rounded(places, mode)).toEqual(left.dividedBy(right, places, mode));
    }),
  );
});

test("units are decimals of any size", () => {
  expect(decimalOfUnits(-1250n, 2)).toEqual(decimal("-12.5"));
  expect(decimalOfUnits(10n ** 60n, 0).text).toBe(`1${"0".repeat(60)}`);
});

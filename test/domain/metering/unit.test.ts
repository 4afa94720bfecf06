import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  canonicalFactor,
  inUnit,
  isFactor,
  type Unit,
  unitRoundings,
} from "../../../src/domain/metering/index.ts";
import { decimal, decimalOfUnits, Fraction, sumDecimals } from "../../../src/domain/money/index.ts";

const sumIn = (unit: Unit, quantity: string) =>
  inUnit({ aggregation: "sum", unit }, Fraction.ofDecimal(decimal(quantity))).text;

describe("a quantity in its unit", () => {
  test.each([
    { unit: { name: "GiB", factor: "1/1073741824" }, quantity: "1610612736", is: "1.5", why: "exact" },
    {
      unit: { name: "GiB", factor: "1/1073741824" },
      quantity: "1",
      is: "0.000000000931",
      why: "12 decimals",
    },
    { unit: { name: "h", factor: "1/3600000" }, quantity: "5400000", is: "1.5", why: "ms to hours" },
    { unit: { name: "h", factor: "1/3600000" }, quantity: "1200000", is: "0.333333333333", why: "a third" },
    {
      unit: { name: "h", factor: "1/3600000", decimals: 2 },
      quantity: "1200000",
      is: "0.33",
      why: "as said",
    },
    {
      unit: { name: "h", factor: "1/3600000", decimals: 0, rounding: "up" },
      quantity: "1",
      is: "1",
      why: "begun",
    },
    {
      unit: { name: "h", factor: "1/3600000", decimals: 0, rounding: "down" },
      quantity: "7199999",
      is: "1",
      why: "full",
    },
    { unit: { name: "s", factor: "0.001" }, quantity: "1234.5", is: "1.2345", why: "a decimal factor" },
    { unit: { name: "token", factor: "1000" }, quantity: "0.5", is: "500", why: "thousands sent" },
    { unit: { name: "call", decimals: 0, rounding: "half_up" }, quantity: "2.5", is: "3", why: "no factor" },
    { unit: { name: "call", decimals: 0 }, quantity: "2.5", is: "2", why: "half to even when not said" },
    {
      unit: { name: "call" },
      quantity: "0.12345678901234567890",
      is: "0.1234567890123456789",
      why: "a name alone",
    },
  ] as { unit: Unit; quantity: string; is: string; why: string }[])(
    "$quantity in $unit is $is: $why",
    ({ unit, quantity, is }) => {
      expect(sumIn(unit, quantity)).toBe(is);
    },
  );
});

describe("a factor", () => {
  test.each([
    { text: "3600", canonical: "3600" },
    { text: "0.50", canonical: "1/2" },
    { text: "2/4", canonical: "1/2" },
    { text: "1/1073741824", canonical: "1/1073741824" },
    { text: "007/1", canonical: "7" },
    { text: "999999.999999999999", canonical: "999999999999999999/1000000000000" },
  ])("$text is $canonical", ({ text, canonical }) => {
    expect(isFactor(text)).toBe(true);
    expect(canonicalFactor(text)).toBe(canonical);
    expect(isFactor(canonical) && canonicalFactor(canonical)).toBe(canonical);
  });

  test.each([
    "",
    "0",
    "0.0",
    "0/5",
    "1/0",
    "1/00",
    "-1",
    "1/-2",
    "1e3",
    "1/2/3",
    "1.5/2",
    ".5",
    "1.",
    "1/2.5",
    " 1",
  ])("%j is none", (text) => {
    expect(isFactor(text)).toBe(false);
  });
});

describe("INV-27: a quantity is converted exactly, and rounded once", () => {
  const anyFactor = fc
    .tuple(fc.bigInt({ min: 1n, max: 10n ** 12n }), fc.bigInt({ min: 1n, max: 10n ** 12n }))
    .map(([numerator, denominator]) => `${numerator}/${denominator}`);
  const anyParts = fc.array(
    fc.bigInt({ min: 0n, max: 10n ** 20n }).map((units) => decimalOfUnits(units, 6)),
    { maxLength: 10 },
  );

  test("within a step of the exact one, on the side that the unit says, however the usage came in parts", () => {
    fc.assert(
      fc.property(
        anyFactor,
        fc.nat(12),
        fc.constantFrom(...unitRoundings),
        anyParts,
        (factor, decimals, rounding, parts) => {
          const whole = sumDecimals(parts);
          const converted = decimal(sumIn({ name: "x", factor, decimals, rounding }, whole.text));
          const [numerator = 1n, denominator = 1n] = factor.split("/").map(BigInt);
          // How far it was rounded up, in steps of the last decimal, times the denominator.
          const step = decimal(denominator).times(
            decimal("1").dividedBy(decimal(10n ** BigInt(decimals)), 12, "down"),
          );
          const error = converted.times(decimal(denominator)).minus(whole.times(decimal(numerator)));
          const twice = error.times(decimal("2"));
          if (rounding === "up") expect(error.isNegative()).toBe(false);
          if (rounding === "down") expect(error.isGreaterThan(decimal("0"))).toBe(false);
          const largest = rounding.startsWith("half") ? twice : error;
          expect(largest.compare(step)).toBeLessThanOrEqual(0);
          expect(largest.compare(step.negated())).toBeGreaterThanOrEqual(0);
        },
      ),
    );
  });
});

import { Big } from "big.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Decimal, decimal, decimalOfJsonNumber, sumDecimals } from "../../../src/domain/money/index.ts";

describe("decimal text", () => {
  test.each([
    { text: "0", canonical: "0" },
    { text: "-0", canonical: "0" },
    { text: "0.0003", canonical: "0.0003" },
    { text: "1.50", canonical: "1.5" },
    { text: "007", canonical: "7" },
    { text: "-12.0", canonical: "-12" },
    { text: "0.00000000000000000001", canonical: "0.00000000000000000001" },
    { text: `${"9".repeat(38)}.${"9".repeat(20)}`, canonical: `${"9".repeat(38)}.${"9".repeat(20)}` },
  ])("$text is $canonical", ({ text, canonical }) => {
    expect(decimal(text).text).toBe(canonical);
    expect(`${decimal(text)} ${JSON.stringify(decimal(text))}`).toBe(`${canonical} "${canonical}"`);
  });

  test.each([
    { value: "", why: "empty" },
    { value: " 1", why: "white space" },
    { value: "+1", why: "a plus sign" },
    { value: "1e3", why: "an exponent" },
    { value: ".5", why: "no digit before the point" },
    { value: "5.", why: "no digit after the point" },
    { value: "1,000", why: "a comma" },
    { value: "1\n", why: "a line end" },
    { value: "٣", why: "a digit of another script" },
    { value: "NaN", why: "not a number" },
    { value: "Infinity", why: "not finite" },
    { value: "9".repeat(39), why: "39 integer digits" },
    { value: `0.${"1".repeat(21)}`, why: "21 fraction digits" },
    { value: 12.5, why: "a JavaScript number" },
    { value: Number.NaN, why: "a JavaScript NaN" },
    { value: null, why: "nothing" },
    { value: { toString: () => "1" }, why: "an object that looks like one" },
  ])("$why is refused", ({ value }) => {
    // Callers in plain JavaScript can pass anything.
    expect(() => decimal(value as string, "price")).toThrow(
      expect.objectContaining({ code: "decimal_invalid", field: "price" }),
    );
  });

  test.each([
    { number: 0.1, text: "0.1" },
    { number: 1e-7, text: "0.0000001" },
    { number: -0, text: "0" },
    { number: -2.5, text: "-2.5" },
    { number: Number.MAX_SAFE_INTEGER, text: "9007199254740991" },
  ])("the JSON number $number is $text", ({ number, text }) => {
    expect(decimalOfJsonNumber(number).text).toBe(text);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, -1e300, 1e-21])(
    "the JSON number %s is refused",
    (number) => {
      expect(() => decimalOfJsonNumber(number)).toThrow(expect.objectContaining({ code: "decimal_invalid" }));
    },
  );
});

describe("decimal arithmetic", () => {
  test("0.1 + 0.2 is 0.3", () => {
    expect(decimal("0.1").plus(decimal("0.2"))).toEqual(decimal("0.3"));
  });

  test.each([
    { dividend: "1", divisor: "3", places: 4, mode: "half-even", quotient: "0.3333" },
    { dividend: "2", divisor: "3", places: 4, mode: "down", quotient: "0.6666" },
    { dividend: "5", divisor: "2", places: 0, mode: "half-even", quotient: "2" },
    { dividend: "7", divisor: "2", places: 0, mode: "half-even", quotient: "4" },
    { dividend: "5", divisor: "2", places: 0, mode: "half-up", quotient: "3" },
    { dividend: "-5", divisor: "2", places: 0, mode: "half-up", quotient: "-3" },
    { dividend: "-7", divisor: "2", places: 0, mode: "down", quotient: "-3" },
    { dividend: "6.00000000000000000001", divisor: "2", places: 0, mode: "up", quotient: "4" },
    { dividend: "-1", divisor: "3", places: 0, mode: "half-even", quotient: "0" },
  ] as const)("$dividend ÷ $divisor to $places places, $mode, is $quotient", (row) => {
    expect(decimal(row.dividend).dividedBy(decimal(row.divisor), row.places, row.mode).text).toBe(
      row.quotient,
    );
  });

  test("a quotient is rounded once: 1.49999…9 ÷ 1 never becomes 2 by way of 1.5", () => {
    const almostHalf = decimal(`1.4${"9".repeat(19)}`);
    expect(almostHalf.dividedBy(decimal("1"), 0, "half-up").text).toBe("1");
  });

  test("dividing by zero is a bug and throws", () => {
    expect(() => decimal("1").dividedBy(decimal("0"), 2, "half-even")).toThrow();
  });

  test("decimals are compared by name; with < they throw, instead of comparing text", () => {
    expect(() => decimal("9") < decimal("10")).toThrow(TypeError);
    expect(decimal("9").isLessThan(decimal("10"))).toBe(true);
    expect(decimal("10").isGreaterThan(decimal("9"))).toBe(true);
    expect([decimal("2"), decimal("10"), decimal("-1")].sort((a, b) => a.compare(b)).map(String)).toEqual([
      "-1",
      "2",
      "10",
    ]);
  });
});

/** A decimal with up to 20 places as a whole number of its last place: an oracle in plain bigints. */
const anyScaled = fc.record({
  units: fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }),
  places: fc.integer({ min: 0, max: 20 }),
});

function textOf({ units, places }: { units: bigint; places: number }): string {
  const digits = (units < 0n ? -units : units).toString().padStart(places + 1, "0");
  const point = digits.length - places;
  const fraction = places === 0 ? "" : `.${digits.slice(point)}`;
  return `${units < 0n ? "-" : ""}${digits.slice(0, point)}${fraction}`;
}

function powerOfTen(exponent: number): Decimal {
  return decimal(10n ** BigInt(exponent));
}

test("INV-1: sums, differences and products of decimals are exact, and their text is canonical", () => {
  fc.assert(
    fc.property(anyScaled, anyScaled, (left, right) => {
      const [a, b] = [decimal(textOf(left)), decimal(textOf(right))];
      const places = 20;
      const [scaledLeft, scaledRight] = [left, right].map(
        (it) => it.units * 10n ** BigInt(places - it.places),
      );
      const sum = (scaledLeft ?? 0n) + (scaledRight ?? 0n);
      expect(a.plus(b)).toEqual(decimal(textOf({ units: sum, places })));
      expect(a.plus(b).minus(b)).toEqual(a);
      expect(sumDecimals([a, b, a.negated()])).toEqual(b);
      const product = a.times(powerOfTen(left.places)).times(b.times(powerOfTen(right.places)));
      expect(product.text).toBe((left.units * right.units).toString());
      expect(decimal(a.text).text).toBe(a.text);
    }),
  );
});

test("INV-2: half-even rounding is off by at most half, and a tie ends on an even digit", () => {
  fc.assert(
    fc.property(anyScaled, fc.integer({ min: 0, max: 20 }), (value, places) => {
      const exact = decimal(textOf(value));
      const rounded = exact.rounded(places, "half-even");
      const unit = decimal(textOf({ units: 1n, places }));
      const error = rounded.minus(exact);
      const twice = error.isNegative() ? error.negated().times(decimal("2")) : error.times(decimal("2"));
      expect(twice.isGreaterThan(unit)).toBe(false);
      if (twice.equals(unit)) {
        const lastDigit = rounded.times(powerOfTen(places)).toBigInt() % 2n;
        expect(lastDigit).toBe(0n);
      }
    }),
  );
});

const bigRounding = { down: 0, "half-up": 1, "half-even": 2, up: 3 } as const;

test("every operation comes to what another library of decimals says", () => {
  const anyMode = fc.constantFrom("down", "half-up", "half-even", "up");
  const anyPlaces = fc.integer({ min: 0, max: 25 });
  fc.assert(
    fc.property(anyScaled, anyScaled, anyPlaces, anyMode, (left, right, places, mode) => {
      const [a, b] = [decimal(textOf(left)), decimal(textOf(right))];
      const [bigA, bigB] = [new Big(a.text), new Big(b.text)];
      expect(a.minus(b).text).toBe(bigA.minus(bigB).toFixed());
      expect(a.times(b).text).toBe(bigA.times(bigB).toFixed());
      expect(a.compare(b)).toBe(bigA.cmp(bigB));
      expect(a.rounded(places, mode).text).toBe(new Big(bigA.round(places, bigRounding[mode])).toFixed());
      if (b.isZero()) return;
      const Quotient = Big();
      Object.assign(Quotient, { DP: places, RM: bigRounding[mode] });
      expect(a.dividedBy(b, places, mode).text).toBe(new Quotient(bigA).div(bigB).toFixed());
    }),
    { numRuns: 1000 },
  );
});

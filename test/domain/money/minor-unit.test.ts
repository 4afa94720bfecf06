import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  currency,
  decimal,
  exactMajorOf,
  exactMinorOf,
  minorUnitConventions,
  minorUnitOf,
  roundToMinorUnit,
} from "../../../src/domain/money/index.ts";

describe("whose minor unit", () => {
  test.each([
    { code: "usd", iso: [2, 1n], stripe: [2, 1n], why: "most currencies are counted alike" },
    { code: "jpy", iso: [0, 1n], stripe: [0, 1n], why: "no fraction anywhere" },
    { code: "isk", iso: [0, 1n], stripe: [2, 100n], why: "sent as hundredths of a króna, whole krónur only" },
    { code: "ugx", iso: [0, 1n], stripe: [2, 100n], why: "likewise" },
    { code: "mga", iso: [2, 1n], stripe: [0, 1n], why: "sent as whole ariary" },
    { code: "kwd", iso: [3, 1n], stripe: [3, 10n], why: "the last digit is zero" },
  ])("$code: $why", ({ code, iso, stripe }) => {
    const of = (convention: "iso" | "stripe") => Object.values(minorUnitOf(currency(code), convention));
    expect([of("iso"), of("stripe")]).toEqual([iso, stripe]);
  });
});

test("an amount in major units and back is the same, and rounding leaves a multiple of the step", () => {
  const anyAmount = fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n });
  const anyCurrency = fc.constantFrom("usd", "jpy", "isk", "ugx", "mga", "kwd", "tnd");
  fc.assert(
    fc.property(
      anyAmount,
      anyCurrency,
      fc.constantFrom(...minorUnitConventions),
      (thousandths, code, convention) => {
        const unit = minorUnitOf(currency(code), convention);
        const major = decimal(thousandths).times(decimal("0.001"));
        const exactMinor = exactMinorOf(major, unit);
        expect(exactMajorOf(exactMinor, unit).text).toBe(major.text);
        const { amountMinor } = roundToMinorUnit(exactMinor, currency(code), unit);
        expect(amountMinor % unit.step).toBe(0n);
        const offBy = decimal(amountMinor).minus(exactMinor).times(decimal("2"));
        expect(
          offBy.compare(decimal(unit.step)) <= 0 && offBy.negated().compare(decimal(unit.step)) <= 0,
        ).toBe(true);
      },
    ),
  );
});

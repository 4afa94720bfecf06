import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  currency,
  decimal,
  exactOfLedgerAmount,
  ledgerAmount,
  ledgerAmountOfExact,
  ledgerAmountOfMoney,
  ledgerSum,
  majorText,
  minorText,
  money,
  sumLedger,
} from "../../../src/domain/money/index.ts";

describe("ledger amounts are 10⁻⁸ of the minor unit", () => {
  test("12.50 usd is 1250 cents, 1250 × 10⁸", () => {
    expect(ledgerAmountOfMoney(money(1250n, "usd"))).toBe(125_000_000_000n);
  });

  test.each([
    { exactMinor: "0.0003", amount: 30_000n, why: "the price of a token" },
    { exactMinor: "-1", amount: -100_000_000n, why: "a whole cent, taken" },
    { exactMinor: "0.000000005", amount: 0n, why: "half of the last place, to the even 0" },
    { exactMinor: "0.000000015", amount: 2n, why: "half of the last place, to the even 2" },
    { exactMinor: "0.0000000051", amount: 1n, why: "more than half" },
  ])("$exactMinor is $amount: $why", ({ exactMinor, amount }) => {
    expect(ledgerAmountOfExact(decimal(exactMinor))).toBe(amount);
  });

  test("38 digits are the most", () => {
    expect(ledgerAmount(10n ** 38n - 1n)).toBe(10n ** 38n - 1n);
    expect(() => ledgerAmount(10n ** 38n)).toThrow(expect.objectContaining({ code: "amount_invalid" }));
    expect(() => ledgerAmount(-(10n ** 38n))).toThrow(expect.objectContaining({ code: "amount_invalid" }));
  });
});

test("INV-5: a ledger amount read as an exact decimal and written back is the same", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n }), (value) => {
      expect(ledgerAmountOfExact(exactOfLedgerAmount(ledgerAmount(value)))).toBe(value);
    }),
  );
});

describe("as text", () => {
  test.each([
    { units: 734_56_000_000n, minor: "734.56", major: { usd: "7.3456", jpy: "734.56", kwd: "0.73456" } },
    {
      units: -1n,
      minor: "-0.00000001",
      major: { usd: "-0.0000000001", jpy: "-0.00000001", kwd: "-0.00000000001" },
    },
    { units: 0n, minor: "0", major: { usd: "0.00", jpy: "0", kwd: "0.000" } },
    { units: 150_00_00000000n, minor: "15000", major: { usd: "150.00", jpy: "15000", kwd: "15.000" } },
  ])("$units is $minor in minor units", ({ units, minor, major }) => {
    expect(minorText(ledgerSum(units))).toBe(minor);
    for (const [code, text] of Object.entries(major)) {
      expect(majorText(ledgerSum(units), currency(code))).toBe(text);
    }
  });

  test("minor units are the exact decimal's canonical text", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n }), (units) => {
        expect(minorText(ledgerAmount(units))).toBe(exactOfLedgerAmount(ledgerAmount(units)).text);
      }),
    );
  });

  test("sums may be longer than amounts", () => {
    const most = ledgerAmount(10n ** 38n - 1n);
    expect(minorText(sumLedger([most, most]))).toBe(`1${"9".repeat(30)}.99999998`);
    expect(sumLedger([])).toBe(0n);
  });
});

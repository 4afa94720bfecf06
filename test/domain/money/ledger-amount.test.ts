import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  decimal,
  exactOfLedgerAmount,
  ledgerAmount,
  ledgerAmountOfExact,
  ledgerAmountOfMoney,
  money,
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

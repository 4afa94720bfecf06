import { describe, expect, test } from "vitest";
import {
  addMoney,
  compareMoney,
  currency,
  currencyExponent,
  decimal,
  formatMoney,
  isZero,
  money,
  negateMoney,
  parseMinorUnits,
  roundToMinor,
  subtractMoney,
  sumMoney,
} from "../../../src/domain/money/index.ts";

const usd = currency("usd");

describe("currency", () => {
  test.each([
    { code: "usd", exponent: 2 },
    { code: "eur", exponent: 2 },
    { code: "jpy", exponent: 0 },
    { code: "kwd", exponent: 3 },
  ])("the minor unit of $code has $exponent decimals", ({ code, exponent }) => {
    expect(currencyExponent(currency(code))).toBe(exponent);
  });

  test.each(["USD", "us", "xxx", "dollar", "", "constructor"])("%j is refused", (code) => {
    expect(() => currency(code, "plans[0].currency")).toThrow(
      expect.objectContaining({ code: "currency_unknown", field: "plans[0].currency" }),
    );
  });
});

describe("arithmetic", () => {
  test("12.50 + 0.75 = 13.25 and back", () => {
    const sum = addMoney(money(1250n, "usd"), money(75n, "usd"));
    expect(sum).toEqual(money(1325n, "usd"));
    expect(subtractMoney(sum, money(75n, "usd"))).toEqual(money(1250n, "usd"));
    expect(addMoney(sum, negateMoney(sum))).toSatisfy(isZero);
  });

  test("an empty sum is zero of its currency", () => {
    expect(sumMoney([], usd)).toEqual(money(0n, "usd"));
    expect(sumMoney([money(1n, "usd"), money(2n, "usd")], usd)).toEqual(money(3n, "usd"));
  });

  test("amounts order by value", () => {
    const sorted = [money(5n, "usd"), money(-1n, "usd"), money(5n, "usd")].sort(compareMoney);
    expect(sorted.map((amount) => amount.amountMinor)).toEqual([-1n, 5n, 5n]);
  });

  test.each([addMoney, subtractMoney, compareMoney])("$name refuses two currencies", (combine) => {
    expect(() => combine(money(1n, "usd"), money(1n, "eur"))).toThrow(
      expect.objectContaining({ code: "currency_mismatch" }),
    );
  });

  test("a sum of another currency is refused", () => {
    expect(() => sumMoney([money(1n, "eur")], usd)).toThrow(
      expect.objectContaining({ code: "currency_mismatch" }),
    );
  });

  test("an amount beyond 64 bits is refused, and so is a sum that leads there", () => {
    const most = money(2n ** 63n - 1n, "usd");
    expect(() => money(2n ** 63n, "usd")).toThrow(expect.objectContaining({ code: "amount_invalid" }));
    expect(() => addMoney(most, money(1n, "usd"))).toThrow(
      expect.objectContaining({ code: "amount_invalid" }),
    );
  });
});

describe("minor units on a wire", () => {
  test.each(["0", "1250", "-1", "9223372036854775807"])("%s is read", (text) => {
    expect(parseMinorUnits(text)).toBe(BigInt(text));
  });

  test.each(["", "1.5", "1e3", " 1", "0x1", "9223372036854775808", "99999999999999999999"])(
    "%j is refused",
    (text) => {
      expect(() => parseMinorUnits(text, "amount_minor")).toThrow(
        expect.objectContaining({ code: "amount_invalid", field: "amount_minor" }),
      );
    },
  );
});

describe("rounding to the minor unit", () => {
  test.each([
    { exact: "1333.333", mode: "half-even", minor: 1333n, why: "below half" },
    { exact: "0.5", mode: "half-even", minor: 0n, why: "a tie goes to the even 0" },
    { exact: "1.5", mode: "half-even", minor: 2n, why: "a tie goes to the even 2" },
    { exact: "-2.5", mode: "half-even", minor: -2n, why: "a tie goes to the even -2" },
    { exact: "2.5", mode: "half-up", minor: 3n, why: "half away from zero" },
    { exact: "2.99", mode: "down", minor: 2n, why: "towards zero" },
    { exact: "2.01", mode: "up", minor: 3n, why: "away from zero" },
  ] as const)("$exact, $mode, is $minor: $why", ({ exact, mode, minor }) => {
    expect(roundToMinor(decimal(exact), usd, mode)).toEqual(money(minor, "usd"));
  });

  test("half-even unless another mode is named", () => {
    expect(roundToMinor(decimal("2.5"), usd)).toEqual(money(2n, "usd"));
  });
});

test.each([
  { amount: money(1250n, "usd"), text: "12.50 USD" },
  { amount: money(5n, "usd"), text: "0.05 USD" },
  { amount: money(-5n, "usd"), text: "-0.05 USD" },
  { amount: money(0n, "usd"), text: "0.00 USD" },
  { amount: money(1250n, "jpy"), text: "1250 JPY" },
  { amount: money(1250n, "kwd"), text: "1.250 KWD" },
])("people read $text", ({ amount, text }) => {
  expect(formatMoney(amount)).toBe(text);
});

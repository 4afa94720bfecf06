import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { accountName } from "../../src/console/format/account.ts";
import { formatAmount, isNegativeAmount, isZeroAmount } from "../../src/console/format/amount.ts";
import { currencyExponent } from "../../src/console/format/currency-exponent.ts";
import { sumOfDecimals } from "../../src/console/format/decimal-text.ts";
import { chartOfAccounts } from "../../src/domain/ledger/index.ts";
import { currencyExponent as exponentOf, isCurrency } from "../../src/domain/money/index.ts";

describe("amounts", () => {
  test.each([
    { minor: "1250", currency: "usd", shown: "$12.50", why: "1250 cents" },
    { minor: "5", currency: "usd", shown: "$0.05", why: "fewer digits than the exponent" },
    { minor: "0", currency: "usd", shown: "$0.00", why: "nothing" },
    { minor: "-123456", currency: "usd", shown: "−$1,234.56", why: "a minus sign, not a hyphen" },
    { minor: "1250", currency: "jpy", shown: "¥1,250", why: "yen have no decimals" },
    { minor: "1250", currency: "kwd", shown: "KWD 1.250", why: "three decimals" },
    { minor: "1250", currency: "isk", shown: "ISK 1,250", why: "no decimals" },
    { minor: "1250", currency: "afn", shown: "AFN 12.50", why: "as it is booked, not as price tags show it" },
    { minor: "0.0003", currency: "usd", shown: "$0.000003", why: "a token's price, to its last digit" },
    { minor: "6499.57295", currency: "usd", shown: "$64.9957295", why: "parts of a cent" },
    { minor: "1250.000", currency: "usd", shown: "$12.50", why: "zeros at the end say nothing" },
    {
      minor: "9007199254740993",
      currency: "usd",
      shown: "$90,071,992,547,409.93",
      why: "2^53 + 1: a float would end in .92",
    },
    {
      minor: "123456789012345678901.00000001",
      currency: "usd",
      shown: "$1,234,567,890,123,456,789.0100000001",
      why: "more digits than a float has",
    },
  ])("$minor in $currency is $shown: $why", ({ minor, currency, shown }) => {
    expect(formatAmount(minor, currency).replaceAll("\u00a0", " ")).toBe(shown);
  });

  test.each(["", "12,50", "1e3", "NaN", "1.", ".5", "--1", "Infinity", " 1"])("%j is refused", (text) => {
    expect(() => formatAmount(text, "usd")).toThrow(TypeError);
  });

  test("every digit of an amount is on the screen, in order", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n }), (minor) => {
        const digits = formatAmount(minor.toString(), "usd").replaceAll(/\D/g, "").replace(/^0+/, "");
        expect(digits).toBe(minor === 0n ? "" : minor.toString().replace("-", ""));
      }),
    );
  });

  test("a currency has the decimals that the ledger books it with", () => {
    const codes = Intl.supportedValuesOf("currency").map((code) => code.toLowerCase());
    const known = codes.filter(isCurrency);
    expect(known.length).toBeGreaterThan(100);
    for (const code of known) expect([code, currencyExponent(code)]).toEqual([code, exponentOf(code)]);
  });

  test("zero and negative are told apart by the text alone", () => {
    expect(["0", "0.000", "-0"].map(isZeroAmount)).toEqual([true, true, true]);
    expect(["-1", "-0.00", "1"].map(isNegativeAmount)).toEqual([true, false, false]);
  });
});

describe("sums", () => {
  test.each([
    { texts: [], sum: "0", why: "nothing" },
    { texts: ["0.1", "0.2"], sum: "0.3", why: "exactly" },
    { texts: ["9007199254740993", "1"], sum: "9007199254740994", why: "beyond 2^53" },
    { texts: ["1.50", "-2"], sum: "-0.5", why: "1.5 − 2" },
    { texts: ["0.00000001", "10"], sum: "10.00000001", why: "different numbers of decimals" },
  ])("$texts make $sum: $why", ({ texts, sum }) => expect(sumOfDecimals(texts)).toBe(sum));
});

describe("accounts", () => {
  test("every account of the chart has its name", () => {
    for (const [code, { name }] of Object.entries(chartOfAccounts)) {
      expect(accountName(`${code}/usd`)).toEqual({ code, name, qualifier: "" });
    }
  });

  test("what tells an account apart is readable, and the customer is left out", () => {
    expect(accountName("2000/usd/customer=acme/grant=crg%2F1").qualifier).toBe("grant crg/1");
  });
});

import { describe, expect, test } from "vitest";
import { instant } from "../../../../src/domain/calendar/index.ts";
import {
  documentNumber,
  documentSeries,
  exactMinorText,
  moneyText,
  periodText,
  quantityText,
} from "../../../../src/domain/invoicing/document/index.ts";
import { currency, decimal, money } from "../../../../src/domain/money/index.ts";

describe("amounts", () => {
  test.each([
    { minor: 123_450n, code: "usd", text: "$1,234.50" },
    { minor: -5n, code: "usd", text: "−$0.05" },
    { minor: 1_234_567n, code: "jpy", text: "¥1,234,567" },
    { minor: 1_234_567n, code: "kwd", text: "KWD 1,234.567" },
    { minor: 0n, code: "eur", text: "€0.00" },
  ])("$minor minor units of $code are $text", ({ minor, code, text }) => {
    expect(moneyText(money(minor, code))).toBe(text);
  });

  test.each([
    { minor: "0.0002", code: "usd", text: "$0.000002" },
    { minor: "11364.42705", code: "usd", text: "$113.6442705" },
    { minor: "0.5", code: "jpy", text: "¥0.5" },
    { minor: "100", code: "usd", text: "$1.00" },
  ])("exactly $minor minor units of $code are $text", ({ minor, code, text }) => {
    expect(exactMinorText(decimal(minor), currency(code))).toBe(text);
  });

  test.each([
    { quantity: "41822135.25", text: "41,822,135.25" },
    { quantity: "-1000", text: "−1,000" },
    { quantity: "999", text: "999" },
  ])("$quantity is $text", ({ quantity, text }) => {
    expect(quantityText(decimal(quantity))).toBe(text);
  });
});

describe("periods are said on the customer's clock, with their last day", () => {
  test.each([
    {
      start: "2026-01-01T00:00:00Z",
      end: "2026-02-01T00:00:00Z",
      zone: "UTC",
      text: "1 January – 31 January 2026",
    },
    {
      start: "2026-02-28T23:00:00Z",
      end: "2026-03-31T22:00:00Z",
      zone: "Europe/Berlin",
      text: "1 March – 31 March 2026",
    },
    {
      start: "2025-12-15T00:00:00Z",
      end: "2026-01-15T00:00:00Z",
      zone: "UTC",
      text: "15 December 2025 – 14 January 2026",
    },
    { start: "2026-01-01T00:00:00Z", end: "2026-01-02T00:00:00Z", zone: "UTC", text: "1 January 2026" },
    { start: "2026-01-01T00:00:00Z", end: "2026-01-01T00:00:00Z", zone: "UTC", text: "1 January 2026" },
    {
      start: "2026-01-10T12:30:00Z",
      end: "2026-02-01T00:00:00Z",
      zone: "UTC",
      text: "10 January 2026, 12:30 – 1 February 2026, 00:00",
    },
  ])("$text", ({ start, end, zone, text }) => {
    expect(periodText({ start: instant(start), end: instant(end) }, zone)).toBe(text);
  });
});

describe("numbers", () => {
  test.each([
    { series: "customer", kind: "invoice", number: "ACME-0007" },
    { series: "customer", kind: "credit_note", number: "ACME-CN-0007" },
    { series: "year", kind: "invoice", number: "RK-2026-000007" },
    { series: "year", kind: "credit_note", number: "RK-CN-2026-000007" },
  ] as const)("the seventh $kind by $series is $number", ({ series, kind, number }) => {
    const of = documentSeries({ series, prefix: "RK" }, kind, { customerId: "acme", year: 2026 });
    expect(documentNumber(of, 7)).toBe(number);
  });

  test("a prefix that could be mistaken is refused", () => {
    const numbering = { series: "year", prefix: "rk/" } as const;
    expect(() => documentSeries(numbering, "invoice", { customerId: "acme", year: 2026 })).toThrow(
      "cannot begin numbers",
    );
  });
});

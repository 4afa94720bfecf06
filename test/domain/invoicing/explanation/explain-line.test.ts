import { describe, expect, test } from "vitest";
import { instant } from "../../../../src/domain/calendar/index.ts";
import {
  explainLine,
  explainSum,
  type LineToExplain,
} from "../../../../src/domain/invoicing/explanation/index.ts";
import type { InvoiceLine } from "../../../../src/domain/invoicing/index.ts";
import { decimal, ledgerAmount, money } from "../../../../src/domain/money/index.ts";

const january = { start: instant("2026-01-01T00:00:00Z"), end: instant("2026-02-01T00:00:00Z") };
const usd = (amount: number) => money(BigInt(amount), "usd");

const usual: InvoiceLine = {
  kind: "usage",
  earning: "unbilled",
  description: "Pro: Tokens",
  product: "tokens",
  source: { planKey: "pro", planVersion: 3, priceKey: "tokens" },
  period: january,
  quantity: decimal("120"),
  exactMinor: decimal("1100"),
  amount: usd(1100),
  detail: {
    unit: "calls",
    cumulativeQuantity: "120",
    includedQuantity: "0",
    cumulativeExactMinor: "1100",
    tiers: [
      { from: "0", to: "100", quantity: "100", unitPriceMinor: "10", flatMinor: "0", exactMinor: "1000" },
      { from: "100", to: null, quantity: "20", unitPriceMinor: "5", flatMinor: "0", exactMinor: "100" },
    ],
  },
};

function textsOf(line: Partial<InvoiceLine>, more: Partial<LineToExplain> = {}): string[] {
  const asked = {
    line: { ...usual, ...line },
    timeZone: "UTC",
    usage: null,
    model: "graduated",
    credits: [],
    ...more,
  };
  return explainLine(asked).map(({ text }) => text);
}

describe("a line of usage", () => {
  test("is what was counted, priced tier by tier, rounded once, and paid by credit as far as that went", () => {
    expect(textsOf({}, { credits: [{ grantId: "g1", amount: ledgerAmount(30_000_000_000n) }] })).toEqual([
      "120 calls counted in 1 January – 31 January 2026.",
      "Price tokens of plan pro, version 3, graduated.",
      "None of it was included free of charge.",
      "Above 0 up to 100: 100 × $0.10 = $10.00.",
      "Above 100: 20 × $0.05 = $1.00.",
      "Together exactly $11.00 for the whole period so far.",
      "The sum for the period rounded once, half to even: $11.00.",
      "Credit grant g1 pays $3.00 of it.",
    ]);
  });

  test("that came late is the whole less what was billed: 11.00 − 9.00 for the 90 before", () => {
    const late = {
      kind: "late_usage",
      quantity: decimal("30"),
      exactMinor: decimal("200"),
      amount: usd(200),
    } as const;
    expect(textsOf(late)).toContain("$9.00 of it, for 90, was billed before: the rest is $2.00.");
  });

  test("that came to less says where the difference went", () => {
    const detail = { ...usual.detail, creditedToBalanceMinor: "250" };
    const less = {
      kind: "late_usage",
      quantity: decimal("-5"),
      exactMinor: decimal("0"),
      amount: usd(0),
      detail,
    } as const;
    expect(textsOf(less)).toContain(
      "That is less than was billed before: $2.50 went to the customer's balance.",
    );
  });
});

test.each([
  { unit: "second", units: "1814400000", ofUnits: "2678400000", said: "1,814,400 of 2,678,400 seconds" },
  { unit: "second", units: "1500", ofUnits: "2678400000", said: "1.5 of 2,678,400 seconds" },
  { unit: "day", units: "21", ofUnits: "31", said: "21 of 31 days" },
  { unit: "fixed_30", units: "20", ofUnits: "30", said: "20 of 30 days, where a month has thirty" },
  { unit: "30_360", units: "20", ofUnits: "30", said: "20 of 30 days, where a month has thirty" },
  { unit: "none", units: "1", ofUnits: "1", said: "the whole, which is not divided" },
])("a line for time says of which whole it is a part: $said", ({ unit, units, ofUnits, said }) => {
  const part = {
    kind: "proration_charge",
    description: "Remaining time on Pro: Seats × 2",
    period: { start: instant("2026-01-11T00:00:00Z"), end: january.end },
    quantity: decimal("2"),
    exactMinor: decimal("2033"),
    amount: usd(2033),
    detail: { fullPeriodStart: january.start, fullPeriodEnd: january.end, unit, units, ofUnits },
  } as const;
  expect(textsOf(part, { model: "seat" })).toEqual([
    "Price tokens of plan pro, version 3, seat.",
    "2 are charged.",
    `For 11 January – 31 January 2026, of the whole from 1 January – 31 January 2026: ${said}.`,
    "Remaining time on Pro: Seats × 2: exactly $20.33.",
    "Rounded once, half to even: $20.33.",
  ]);
});

test("usage of a part of a period says what the whole includes, and how it was shared", () => {
  const includedShare = { whole: "3100", unit: "day", units: "17", ofUnits: "31" };
  const detail = { ...usual.detail, includedQuantity: "1700", includedShare };
  expect(textsOf({ detail })[2]).toBe(
    "1,700 of it included, free of charge. A whole period includes 3,100; this is for 17 of 31 days.",
  );
  const asked = { line: { ...usual, detail }, timeZone: "UTC", usage: null, model: null, credits: [] };
  expect(explainLine(asked).find(({ kind }) => kind === "included")?.figures).toEqual({
    quantity: "1700",
    whole_quantity: "3100",
    unit: "day",
    part_units: "17",
    whole_units: "31",
  });
});

test("a line of tax says that it was given, for what and at which rate, and nothing of how", () => {
  const line: InvoiceLine = {
    ...usual,
    ...{ kind: "tax", earning: "tax", description: "VAT 19 %, Germany", product: "tax", quantity: null },
    ...{ source: null, exactMinor: decimal("760"), amount: usd(760) },
    detail: { jurisdiction: "de", rate: "0.19", taxableMinor: "4000", lines: [1, 2], quote: "q" },
  };
  const steps = explainLine({ line, timeZone: "UTC", usage: null, model: null, credits: [] });
  expect(steps.map(({ text }) => text)).toEqual([
    "VAT 19 %, Germany: given from outside for de, on $40.00 of lines 1, 2, at 19 %.",
    "Passed through untouched: $7.60.",
  ]);
  expect(steps[0]?.figures).toEqual({ jurisdiction: "de", rate: "0.19", taxable_minor: "4000", quote: "q" });
});

test("the sum tells what paid, and what is left", () => {
  const none = usd(0);
  const said = explainSum({
    lines: 2,
    subtotal: usd(5000),
    tax: usd(760),
    creditsApplied: usd(1000),
    balanceApplied: usd(500),
    total: usd(4260),
    credited: usd(200),
    paid: none,
  });
  expect(said.map(({ text }) => text)).toEqual([
    "The 2 lines add up to $50.00.",
    "Credit grants pay $10.00 of the usage.",
    "Tax, as it was reckoned outside, is $7.60.",
    "$5.00 is paid from the customer's balance.",
    "The total is $42.60.",
    "Credit notes take $2.00 off.",
    "$40.60 is left to be paid.",
  ]);
});

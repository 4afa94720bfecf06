import { expect, test } from "vitest";
import { instant } from "../../../../src/domain/calendar/index.ts";
import type { UsageModel } from "../../../../src/domain/catalog/index.ts";
import { documentGroups } from "../../../../src/domain/invoicing/document/document-lines.ts";
import type { InvoiceLine } from "../../../../src/domain/invoicing/index.ts";
import { currency, decimal, roundToMinor } from "../../../../src/domain/money/index.ts";
import { rateUsage } from "../../../../src/domain/rating/index.ts";

const period = { start: instant("2026-01-01T00:00:00Z"), end: instant("2026-02-01T00:00:00Z") };
const usd = currency("usd");

/** Usage as it is rated: its detail holds decimals, which storing it turns into texts. */
function usageLine(model: UsageModel, quantity: string, included: string): InvoiceLine {
  const rated = rateUsage(model, decimal(quantity), decimal(included));
  const { includedQuantity, billableQuantity, tiers, exactMinor } = rated;
  return {
    ...{ kind: "usage", earning: "unbilled", description: "Tokens", product: "tokens", period, exactMinor },
    source: { planKey: "pro", planVersion: 1, priceKey: "tokens" },
    quantity: decimal(quantity),
    amount: roundToMinor(exactMinor, usd),
    detail: { includedQuantity, billableQuantity, tiers, unit: "tokens" },
  };
}

const stored = (line: InvoiceLine): InvoiceLine => ({
  ...line,
  detail: JSON.parse(JSON.stringify(line.detail)) as InvoiceLine["detail"],
});

function printed(line: InvoiceLine) {
  const of = { planNames: new Map([["pro", "Pro"]]), currency: usd, timeZone: "UTC", period };
  const [group] = documentGroups({ ...of, lines: [line] });
  return group?.lines[0];
}

const perUnit = (unitPriceMinor: string): UsageModel => ({ type: "per_unit", unitPriceMinor });
const graduated: UsageModel = {
  type: "graduated",
  tiers: [
    { upTo: "1000", unitPriceMinor: "0.000000000123", flatMinor: "0" },
    { upTo: null, unitPriceMinor: "0.02", flatMinor: "50" },
  ],
};

test.each([
  { model: perUnit("1"), prices: ["$0.01"], why: "a cent" },
  {
    model: perUnit("0.000000000123"),
    prices: ["$0.00000000000123"],
    why: "twelve decimals of a cent, all of them",
  },
  {
    model: perUnit("1234.567890123456"),
    prices: ["$12.34567890123456"],
    why: "the same of more than a dollar",
  },
  { model: graduated, prices: ["$0.00000000000123", "$0.0002 + $0.50"], why: "tier by tier" },
])("unit prices before and after a line is stored: $why", ({ model, prices }) => {
  const line = usageLine(model, "41000", "500");
  const before = printed(line);
  expect(before).toEqual(printed(stored(line)));
  const said =
    before?.tiers.length === 0 ? [before.unitPrice] : before?.tiers.map(({ unitPrice }) => unitPrice);
  expect(said).toEqual(prices);
  expect(before?.notes).toEqual(["500 tokens included free of charge"]);
});

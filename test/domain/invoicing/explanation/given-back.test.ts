import { expect, test } from "vitest";
import { instant } from "../../../../src/domain/calendar/index.ts";
import { explainLine } from "../../../../src/domain/invoicing/explanation/index.ts";
import { decimal, money } from "../../../../src/domain/money/index.ts";

test("a credit line of which credit notes gave a part back says so: 15.00 unused, 5.00 given back, 10.00 here", () => {
  const at = instant("2026-04-16T00:00:00Z");
  const steps = explainLine({
    line: {
      kind: "proration_credit",
      earning: "deferred",
      description: "Unused time",
      product: "base",
      source: null,
      period: { start: at, end: instant("2026-05-01T00:00:00Z") },
      quantity: null,
      exactMinor: decimal("-1000"),
      amount: money(-1000n, "usd"),
      detail: { unusedMinor: "1500" },
    },
    timeZone: "UTC",
    usage: null,
    model: null,
    credits: [],
  });
  expect(steps.map(({ text }) => text)).toContain(
    "$15.00 was unused. Credit notes gave $5.00 of it back; the rest is credited here.",
  );
});

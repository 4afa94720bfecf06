import { describe, expect, test } from "vitest";
import { breakDownUsage } from "../../src/console/usage/usage-breakdown.ts";
import { knownPeriods } from "../../src/console/usage/usage-periods.ts";
import { acmeInvoice, acmeSubscription, acmeUsage } from "./support/records.ts";

describe("usage for the chart and its tables", () => {
  const byModel = breakDownUsage(acmeUsage, "model");

  test("parts are exact and the largest comes first, by value and not by spelling", () => {
    expect(byModel.parts).toEqual([
      { key: "part-1", name: "gpt-4.1", quantity: "9007199254740994.5", eventCount: 3 },
      { key: "part-2", name: "mini", quantity: "70", eventCount: 2 },
    ]);
    expect(byModel.total).toBe("9007199254741064.5");
  });

  test("every day of the period is there, also one without usage", () => {
    expect(byModel.days.map(({ day, total, eventCount }) => [day, total, eventCount])).toEqual([
      ["2026-02-01", "9007199254741063.5", 4],
      ["2026-02-02", "0", 0],
      ["2026-02-03", "1", 1],
    ]);
    expect(byModel.days[0]?.quantities).toEqual({ "part-1": "9007199254740993.5", "part-2": "70" });
  });

  test("without a dimension all usage is one part", () => {
    expect(breakDownUsage(acmeUsage, null).parts).toEqual([
      { key: "part-1", name: "Usage", quantity: "9007199254741064.5", eventCount: 5 },
    ]);
  });

  test("a period that cuts through days shows the days it touches", () => {
    const cut = { data: [], from: "2026-02-01T18:00:00.000Z", to: "2026-02-03T06:00:00.000Z" };
    expect(breakDownUsage(cut, null).days.map(({ day }) => day)).toEqual([
      "2026-02-01",
      "2026-02-02",
      "2026-02-03",
    ]);
  });
});

test("periods to choose from: the running one first, then the invoiced ones, each once", () => {
  expect(knownPeriods([acmeSubscription], [acmeInvoice, acmeInvoice], "UTC")).toEqual([
    {
      from: "2026-02-01T00:00:00.000Z",
      to: "2026-03-01T00:00:00.000Z",
      label: "This period: Feb 1 – Mar 1, 2026",
    },
    { from: "2026-01-01T00:00:00.000Z", to: "2026-02-01T00:00:00.000Z", label: "Jan 1 – Feb 1, 2026" },
  ]);
});

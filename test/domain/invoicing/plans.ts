import { instant, type Period } from "../../../src/domain/calendar/index.ts";
import { type PlanVersion, parseCatalog } from "../../../src/domain/catalog/index.ts";
import type { Terms } from "../../../src/domain/invoicing/index.ts";

/** January 2026: 31 days, so a day is 1/31 of a fee. */
export const january: Period = {
  start: instant("2026-01-01T00:00:00Z"),
  end: instant("2026-02-01T00:00:00Z"),
};
export const february: Period = { start: january.end, end: instant("2026-03-01T00:00:00Z") };

const catalog = parseCatalog({
  meters: [
    {
      key: "tokens",
      eventType: "llm.request",
      aggregation: "sum",
      property: "tokens",
      dimensions: ["model"],
    },
  ],
  plans: [
    {
      key: "pro",
      name: "Pro",
      currency: "usd",
      interval: { unit: "month", count: 1 },
      prices: [
        {
          key: "base",
          name: "base fee",
          product: "pro",
          type: "flat",
          timing: "in_advance",
          amountMinor: "3100",
        },
        {
          key: "deep",
          name: "tokens, deep",
          product: "tokens",
          type: "usage",
          meter: "tokens",
          where: { model: "deep" },
          unitLabel: "token",
          included: "310",
          model: { type: "per_unit", unitPriceMinor: "0.5" },
        },
      ],
    },
    {
      key: "team",
      name: "Team",
      currency: "usd",
      interval: { unit: "month", count: 1 },
      prices: [
        {
          key: "seats",
          name: "seats",
          product: "team",
          type: "seat",
          timing: "in_advance",
          unitAmountMinor: "6200",
          includedSeats: 1,
        },
        {
          key: "support",
          name: "support",
          product: "support",
          type: "flat",
          timing: "in_arrears",
          amountMinor: "310",
        },
      ],
    },
  ],
});

export const { meters } = catalog;

function plan(key: string): PlanVersion {
  const found = catalog.plans.find((each) => each.key === key);
  if (found === undefined) throw new Error(`no plan ${key}`);
  return { ...found, version: 1 };
}

export const pro = plan("pro");
export const team = plan("team");

/** Terms of one plan. */
export function terms(of: PlanVersion, at: string, seats = 1, paused = false): Terms {
  return { effectiveAt: instant(at), items: [{ plan: of, seats }], paused };
}

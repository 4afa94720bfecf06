import type { Schemas } from "../../src/sdk/index.ts";

type Catalog = Schemas["CatalogDefinitionInput"];
type Plan = Catalog["plans"][number];
type Price = Plan["prices"][number];

/** Plans that differ in what they charge, for how long, when it is settled, and how they begin; a call costs a cent or two. */
export const yearCatalog: Catalog = {
  meters: [{ key: "calls", event_type: "api.calls", aggregation: "sum", property: "calls", dimensions: [] }],
  plans: [
    plan("solo", [fee("3000"), calls("100", "2")]),
    plan("team", [fee("6000"), seats("900"), calls("300", "1")]),
    plan("metered", [calls("0", "1")]),
    plan("tried", [fee("3100"), calls("50", "1")], { trial: { length: { unit: "day", count: 14 } } }),
    plan("yearly", [fee("36500"), calls("1200", "1")], { interval: { unit: "year", count: 1 } }),
    plan("later", [fee("4000"), seats("700")], { proration: { settle: "next_invoice" } }),
    plan("support", [fee("1000")], { requires: ["solo", "team"] }),
  ],
};

function plan(key: string, prices: Price[], rest: Partial<Plan> = {}): Plan {
  return {
    key,
    name: key,
    currency: "usd",
    interval: { unit: "month", count: 1 },
    grace_seconds: 3600,
    dunning: { retry_after_days: [3, 5, 7], final_action: "cancel", access_grace_days: 7 },
    prices,
    ...rest,
  };
}

function fee(amountMinor: string): Price {
  const name = { key: "base", name: "Base fee", product: "subscription" };
  return { type: "flat", ...name, timing: "in_advance", amount_minor: amountMinor };
}

function seats(unitAmountMinor: string): Price {
  const name = { key: "seats", name: "Seats", product: "seats" };
  const amounts = { unit_amount_minor: unitAmountMinor, included_seats: 1 };
  return { type: "seat", ...name, timing: "in_advance", ...amounts };
}

function calls(included: string, unitPriceMinor: string): Price {
  const model = { type: "per_unit", unit_price_minor: unitPriceMinor } as const;
  const name = { key: "calls", name: "Calls", product: "calls" };
  return { type: "usage", ...name, meter: "calls", where: {}, unit_label: "call", included, model };
}

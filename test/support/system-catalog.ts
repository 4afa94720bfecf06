import type { Schemas } from "../../src/sdk/index.ts";

export type Catalog = Schemas["CatalogDefinitionInput"];

/** A call costs 2 cents on solo, 1 cent otherwise; amounts are chosen so that a day of April is a round number. */
export const scenarioCatalog: Catalog = {
  meters: [{ key: "calls", event_type: "api.calls", aggregation: "sum", property: "calls", dimensions: [] }],
  plans: [
    plan("solo", [baseFee("3000"), calls("100", "2")]),
    plan("team", [baseFee("6000"), seats("900", 2), calls("300", "1")]),
    plan("metered", [calls("0", "1")]),
    plan("euro", [baseFee("3000")], { currency: "eur" }),
  ],
};

type Plan = Catalog["plans"][number];
type Price = Plan["prices"][number];

/** Monthly, in dollars, closed an hour after its end, with a dunning that cancels; `rest` says what is otherwise. */
export function plan(key: string, prices: Price[], rest: Partial<Plan> = {}): Plan {
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

export function baseFee(amountMinor: string): Price {
  const name = { key: "base", name: "Base fee", product: "subscription" };
  return { type: "flat", ...name, timing: "in_advance", amount_minor: amountMinor };
}

export function seats(unitAmountMinor: string, includedSeats = 1): Price {
  const name = { key: "seats", name: "Seats", product: "seats" };
  const amounts = { unit_amount_minor: unitAmountMinor, included_seats: includedSeats };
  return { type: "seat", ...name, timing: "in_advance", ...amounts };
}

export function calls(included: string, unitPriceMinor: string): Price {
  const model = { type: "per_unit", unit_price_minor: unitPriceMinor } as const;
  const name = { key: "calls", name: "Calls", product: "calls" };
  return { type: "usage", ...name, meter: "calls", where: {}, unit_label: "call", included, model };
}

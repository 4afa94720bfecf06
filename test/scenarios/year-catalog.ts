import { baseFee, type Catalog, calls, plan, seats } from "../support/system-catalog.ts";

/** Plans that differ in what they charge, for how long, when it is settled, and how they begin; a call costs a cent or two. */
export const yearCatalog: Catalog = {
  meters: [{ key: "calls", event_type: "api.calls", aggregation: "sum", property: "calls", dimensions: [] }],
  plans: [
    plan("solo", [baseFee("3000"), calls("100", "2")]),
    plan("team", [baseFee("6000"), seats("900"), calls("300", "1")]),
    plan("metered", [calls("0", "1")]),
    plan("tried", [baseFee("3100"), calls("50", "1")], { trial: { length: { unit: "day", count: 14 } } }),
    plan("yearly", [baseFee("36500"), calls("1200", "1")], { interval: { unit: "year", count: 1 } }),
    plan("later", [baseFee("4000"), seats("700")], { proration: { settle: "next_invoice" } }),
    plan("support", [baseFee("1000")], { requires: ["solo", "team"] }),
  ],
};

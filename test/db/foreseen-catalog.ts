/** Plans with fees, seats and usage, some with a trial, billed by the month or the year. */

const flat = (key: string, amountMinor: string, timing = "in_advance") => ({
  ...{ key, type: "flat", name: key, product: key, timing, amountMinor },
});

const usage = (meter: string, unitPriceMinor: string) => ({
  ...{ key: "use", type: "usage", name: "use", product: "use", meter, unitLabel: "unit", included: "31" },
  model: { type: "per_unit", unitPriceMinor },
});

const seats = {
  ...{ key: "seats", type: "seat", name: "seats", product: "seats", timing: "in_advance" },
  unitAmountMinor: "1000",
};

const plan = (key: string, prices: object[], rest: object = {}) => ({
  ...{ key, name: key, currency: "usd", interval: { unit: "month", count: 1 }, graceSeconds: 3600, prices },
  ...rest,
});

const trial = (endAction: string, over: object = {}) => ({
  trial: { length: { unit: "day", count: 14 }, endAction, usage: "free", anchor: "trial_end", ...over },
});

const minimum = { key: "minimum", name: "minimum", type: "minimum", amountMinor: "4000", product: "minimum" };

export const foreseenCatalog = {
  meters: [
    { key: "units", eventType: "unit", aggregation: "sum", property: "units" },
    { key: "calls", eventType: "call", aggregation: "sum", property: "units" },
  ],
  plans: [
    plan("small", [flat("fee", "3100"), seats, usage("units", "2")]),
    plan("large", [flat("fee", "9300"), seats, flat("support", "310", "in_arrears"), usage("units", "1")], {
      adjustments: [minimum],
      proration: { settle: "next_invoice" },
    }),
    plan("yearly", [flat("fee", "36500"), usage("units", "1")], { interval: { unit: "year", count: 1 } }),
    plan("converting", [flat("fee", "3100"), seats, usage("units", "2")], trial("convert")),
    plan("canceling", [flat("fee", "3100"), usage("units", "2")], trial("cancel", { usage: "billed" })),
    plan("pausing", [flat("fee", "3100"), usage("units", "2")], trial("pause", { anchor: "trial_start" })),
    plan("other", [flat("fee", "700"), usage("calls", "3")]),
    plan("extra", [flat("extra", "500")]),
  ],
};

/** A catalog as its author writes it: two meters, a free plan and one with every kind of price. */
export function exampleCatalog() {
  return {
    meters: [
      {
        key: "tokens",
        eventType: "llm.request",
        aggregation: "sum",
        property: "tokens",
        dimensions: ["model", "class"],
      },
      { key: "requests", eventType: "llm.request", aggregation: "count" },
    ],
    plans: [
      { key: "hobby", name: "Hobby", currency: "usd", interval: { unit: "month", count: 1 }, prices: [] },
      {
        key: "pro",
        name: "Pro",
        currency: "usd",
        interval: { unit: "month", count: 1 },
        prices: [
          {
            key: "base",
            type: "flat",
            name: "Pro",
            product: "platform",
            timing: "in_advance",
            amountMinor: "2000",
          },
          {
            key: "seats",
            type: "seat",
            name: "Seats",
            product: "platform",
            timing: "in_advance",
            unitAmountMinor: "3000",
            includedSeats: 5,
          },
          {
            key: "input",
            type: "usage",
            name: "Input tokens",
            product: "tokens",
            meter: "tokens",
            where: { class: "input" },
            unitLabel: "token",
            model: {
              type: "graduated",
              tiers: [
                { upTo: "1000000", unitPriceMinor: "0.00030" },
                { upTo: "10000000", unitPriceMinor: "0.0002", flatMinor: "100" },
                { upTo: null, unitPriceMinor: "0.0001" },
              ],
            },
            included: "500000",
          },
          {
            key: "output",
            type: "usage",
            name: "Output tokens",
            product: "tokens",
            meter: "tokens",
            where: { class: "output" },
            model: { type: "per_unit", unitPriceMinor: "0.0015" },
          },
          {
            key: "requests",
            type: "usage",
            name: "Requests",
            product: "requests",
            meter: "requests",
            model: { type: "package", packageSize: "1000", packagePriceMinor: "50" },
          },
        ],
      },
    ],
  };
}

/** The example with the value at `path`, such as `plans[1].prices[0].key`, replaced; undefined removes it. */
export function exampleWith(path: string, value: unknown): unknown {
  const catalog: unknown = exampleCatalog();
  const steps = path.split(/[.[\]]+/).filter((step) => step !== "");
  const last = steps.pop() ?? "";
  const parent = steps.reduce<unknown>((node, step) => Reflect.get(Object(node), step), catalog);
  if (value === undefined) Reflect.deleteProperty(Object(parent), last);
  else Reflect.set(Object(parent), last, value);
  return catalog;
}

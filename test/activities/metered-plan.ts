/** A plan with a fee of 5.00 and tokens, both in arrears, by the month, that is closed an hour after its end. */
export const meteredCatalog = (unitPriceMinor: string) => ({
  meters: [{ key: "tokens", eventType: "request", aggregation: "sum", property: "tokens", dimensions: [] }],
  plans: [
    {
      key: "metered",
      name: "Metered",
      currency: "usd",
      interval: { unit: "month", count: 1 },
      graceSeconds: 3600,
      prices: [
        {
          key: "support",
          type: "flat",
          name: "Support",
          product: "support",
          timing: "in_arrears",
          amountMinor: "500",
        },
        {
          key: "tokens",
          type: "usage",
          name: "Tokens",
          product: "usage",
          meter: "tokens",
          where: {},
          model: { type: "per_unit", unitPriceMinor },
        },
      ],
    },
  ],
});

import { defineCatalog } from "@reckoner/sdk";

/**
 * The prices of an AI coding product in TypeScript, where they can be computed: says the same as coding-product.yaml.
 * `npx reckoner catalog plan examples/catalogs/coding-product.ts`
 */
const monthly = { unit: "month", count: 1 } as const;

/** Cents for one token, from dollars for a million, exact: at most four decimals. */
function perMillion(dollars: `${number}`): string {
  const [whole = "0", fraction = ""] = dollars.split(".");
  // A dollar for a million tokens is 0.0001 cents a token: the point moves by four places.
  const digits = (whole + fraction).padStart(fraction.length + 5, "0");
  const point = digits.length - fraction.length - 4;
  return `${digits.slice(0, point)}.${digits.slice(point)}`;
}

export default defineCatalog({
  meters: [
    // Cached tokens have a meter of their own, so they are not input as well.
    tokenMeter("input_tokens", { value: "input_tokens - coalesce(cached_tokens, 0)" }),
    tokenMeter("cached_tokens", { value: "coalesce(cached_tokens, 0)" }),
    tokenMeter("output_tokens", { property: "output_tokens" }),
  ],
  plans: [
    {
      key: "hobby",
      name: "Hobby",
      currency: "usd",
      interval: monthly,
      prices: [
        baseFee("500"),
        {
          ...tokens("output", "Output tokens", "output_tokens"),
          included: "200000",
          model: { type: "package", package_size: "100000", package_price_minor: "90", rounding: "up" },
        },
      ],
    },
    {
      key: "team",
      name: "Team",
      currency: "usd",
      interval: monthly,
      grace_seconds: 6 * 3600,
      dunning: { retry_after_days: [2, 7, 14, 21], final_action: "cancel", access_grace_days: 7 },
      prices: [
        baseFee("4000"),
        {
          type: "seat",
          key: "seats",
          name: "Seats",
          product: "seats",
          timing: "in_advance",
          unit_amount_minor: "2500",
          included_seats: 5,
        },
        {
          ...tokens("deep-input", "Deep, input", "input_tokens"),
          where: { model: "deep" },
          model: {
            type: "graduated",
            tiers: [
              { up_to: "10000000", unit_price_minor: perMillion("3") },
              { up_to: null, unit_price_minor: perMillion("2.4") },
            ],
          },
        },
        {
          ...tokens("deep-cached", "Deep, cached input", "cached_tokens"),
          where: { model: "deep" },
          model: { type: "per_unit", unit_price_minor: perMillion("0.3") },
        },
        {
          ...tokens("deep-output", "Deep, output", "output_tokens"),
          where: { model: "deep" },
          included: "500000",
          model: {
            type: "volume",
            tiers: [
              { up_to: "5000000", unit_price_minor: perMillion("15") },
              { up_to: null, unit_price_minor: perMillion("12") },
            ],
          },
        },
      ],
    },
  ],
});

function tokenMeter(key: string, measured: { value: string } | { property: string }) {
  return {
    key,
    event_type: "model.request",
    aggregation: "sum",
    dimensions: ["model"],
    ...measured,
  } as const;
}

function baseFee(amountMinor: string) {
  return {
    type: "flat",
    key: "base",
    name: "Base fee",
    product: "subscription",
    timing: "in_advance",
    amount_minor: amountMinor,
  } as const;
}

function tokens(key: string, name: string, meter: string) {
  return { type: "usage", key, name, product: "tokens", meter, unit_label: "token" } as const;
}

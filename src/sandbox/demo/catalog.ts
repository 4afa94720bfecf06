import type { Schemas } from "../../sdk/index.ts";

// The catalog of an AI coding product, as code: this is what `npm run demo` sells.
// Amounts are US cents as text; a token costs a small part of one: "0.0015" cents are 15 USD for a million.

type Catalog = Schemas["CatalogDefinitionInput"];

export type PlanKey = "hobby" | "pro" | "team" | "enterprise";
export type ModelKey = "swift" | "deep";

/** The type of the usage events that all meters read. */
export const eventType = "model.request";

/** Usage that arrives this long after a period's end is still on that period's invoice. */
export const graceHours = 6;

/** Days after the first failed attempt at which a declined card is tried again. */
export const retryAfterDays = [3, 5, 7];

const meters: Catalog["meters"] = [
  {
    key: "input_tokens",
    event_type: eventType,
    aggregation: "sum",
    property: "input_tokens",
    dimensions: ["model"],
  },
  {
    key: "output_tokens",
    event_type: eventType,
    aggregation: "sum",
    property: "output_tokens",
    dimensions: ["model"],
  },
];

const terms = {
  currency: "usd",
  interval: { unit: "month", count: 1 },
  grace_seconds: graceHours * 3600,
  dunning: { retry_after_days: retryAfterDays, final_action: "cancel", access_grace_days: 7 },
} as const;

/** In the form in which `PUT /v1/catalog` takes it. */
export const catalog: Catalog = {
  meters,
  plans: [
    {
      key: "hobby",
      name: "Hobby",
      ...terms,
      prices: [
        baseFee("500"),
        usage("input_tokens", "Input tokens", "tokens", {
          included: "200000",
          model: { type: "package", package_size: "100000", package_price_minor: "90", rounding: "up" },
        }),
        usage("output_tokens", "Output tokens", "tokens", {
          included: "2000",
          model: { type: "per_unit", unit_price_minor: "0.004" },
        }),
      ],
    },
    {
      key: "pro",
      name: "Pro",
      ...terms,
      prices: [
        baseFee("2000"),
        tokens("swift", "input", "100000", graduated(["200000", "0.0003"], [null, "0.00024"])),
        tokens("swift", "output", "2000", graduated(["5000", "0.0015"], [null, "0.0012"])),
        tokens("deep", "input", "250000", graduated(["300000", "0.0015"], [null, "0.0012"])),
        tokens("deep", "output", "1000", graduated(["2000", "0.0075"], [null, "0.006"])),
      ],
    },
    {
      key: "team",
      name: "Team",
      ...terms,
      prices: [
        baseFee("6000"),
        seats("1800", 3),
        tokens("swift", "input", "300000", graduated(["150000", "0.00028"], [null, "0.00022"])),
        tokens("swift", "output", "5000", graduated(["8000", "0.0014"], [null, "0.0011"])),
        tokens(
          "deep",
          "input",
          "500000",
          graduated(["500000", "0.0014"], ["900000", "0.0011"], [null, "0.001"]),
        ),
        tokens("deep", "output", "2000", graduated(["5000", "0.007"], [null, "0.0055"])),
      ],
    },
    {
      key: "enterprise",
      name: "Enterprise",
      ...terms,
      prices: [
        baseFee("40000"),
        seats("2500", 10),
        tokens("swift", "input", "500000", volume(["400000", "0.00025"], [null, "0.0002"])),
        tokens("swift", "output", "10000", graduated(["15000", "0.0012"], [null, "0.001"])),
        tokens("deep", "input", "1000000", volume(["1500000", "0.001"], [null, "0.0009"])),
        tokens("deep", "output", "5000", graduated(["10000", "0.006"], [null, "0.005"])),
      ],
    },
  ],
};

/** As it stands on every invoice. */
export const seller = {
  name: "Codewright, Inc.",
  address_lines: ["1 Example Street", "Springfield"],
  email: "billing@codewright.example",
  website: "codewright.example",
  footer: "Questions? billing@codewright.example answers within a day.",
};

type TierRow = [upTo: string | null, unitPriceMinor: string];

function graduated(...tiers: TierRow[]) {
  return { type: "graduated", tiers: tiers.map(tier) } as const;
}

function volume(...tiers: TierRow[]) {
  return { type: "volume", tiers: tiers.map(tier) } as const;
}

function tier([upTo, unitPriceMinor]: TierRow) {
  return { up_to: upTo, unit_price_minor: unitPriceMinor };
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

function seats(unitAmountMinor: string, includedSeats: number) {
  return {
    type: "seat",
    key: "seats",
    name: "Seats",
    product: "seats",
    timing: "in_advance",
    unit_amount_minor: unitAmountMinor,
    included_seats: includedSeats,
  } as const;
}

function tokens<Model>(model: ModelKey, direction: "input" | "output", included: string, price: Model) {
  const name = `${model === "swift" ? "Swift" : "Deep"} ${direction} tokens`;
  return {
    ...usage(`${direction}_tokens`, name, model, { included, model: price }),
    key: `${model}-${direction}`,
    where: { model },
  };
}

function usage<Model>(
  meter: string,
  name: string,
  product: string,
  price: { included: string; model: Model },
) {
  return {
    type: "usage",
    key: meter,
    name,
    product,
    meter,
    where: {},
    unit_label: "token",
    ...price,
  } as const;
}

import { z } from "zod";
import { textInput } from "../wire.ts";

/** Prices and price models as they are written in requests and answers; what they must be is checked by the domain. */

export const key = textInput(64).describe("Lower-case letters, digits, `_`, `-` and `.`.");
export const priceMinor = z
  .string()
  .describe("Minor units, with up to 12 decimals: token prices are far below a cent.")
  .meta({ example: "0.0003" });
export const wholeMinor = z.string().describe("Whole minor units.").meta({ example: "2000" });
export const quantity = z.string().describe("An exact quantity.").meta({ example: "1000000" });
export const percent = z.string().describe("A percentage.").meta({ example: "2.9" });

const upTo = quantity.nullable().describe("The last quantity of the tier; null in the last tier.");

const tiers = z.array(
  z.strictObject({ up_to: upTo, unit_price_minor: priceMinor, flat_minor: priceMinor.optional() }),
);

const flatAtZero = z
  .boolean()
  .optional()
  .describe("Whether the first tier's fee is due when nothing is billable. It is not when left out.");

const dimensions = z.array(z.string()).describe("Dimensions of the meter.");
const values = z.record(z.string(), z.string()).describe("A value for each of the dimensions.");

const graduated = z
  .strictObject({ type: z.literal("graduated"), tiers, flat_at_zero: flatAtZero })
  .describe("Each unit at the price of its own tier.");
const volume = z
  .strictObject({ type: z.literal("volume"), tiers, flat_at_zero: flatAtZero })
  .describe("All units at the price of the tier reached.");
const stairstep = z
  .strictObject({
    type: z.literal("stairstep"),
    steps: z.array(z.strictObject({ up_to: upTo, price_minor: priceMinor })),
    flat_at_zero: flatAtZero,
  })
  .describe("The whole quantity for the price of the step reached.");

const percentage = z
  .strictObject({
    type: z.literal("percentage"),
    percent,
    fee_per_event_minor: priceMinor.optional(),
    free_events: z.int().optional().describe("So many of the first events of a full period."),
    free_amount_minor: priceMinor.optional().describe("So much of the first amounts of a full period."),
    per_event_min_minor: priceMinor.optional(),
    per_event_max_minor: priceMinor.optional(),
  })
  .describe("A share of amounts: the meter's quantity is in minor units.");

const matrix = z
  .strictObject({
    type: z.literal("matrix"),
    dimensions,
    cells: z.array(z.strictObject({ values, unit_price_minor: priceMinor })),
    default_unit_price_minor: priceMinor
      .nullable()
      .describe("Of what no cell names; null: it costs nothing, and the line says that it has no price."),
  })
  .describe("A unit price for each combination of dimension values.");

const markupPercent = z.string().describe("What is added to the cost, in percent.").meta({ example: "20" });

const costPlus = z
  .strictObject({
    type: z.literal("cost_plus"),
    cost_table: key,
    token_class: key,
    dimensions,
    markup_percent: markupPercent,
  })
  .describe("What a cost table said when the unit was used, and a mark-up.");

export const usageModelSchema = z
  .discriminatedUnion("type", [
    z.strictObject({ type: z.literal("per_unit"), unit_price_minor: priceMinor }),
    z.strictObject({
      type: z.literal("package"),
      package_size: quantity,
      package_price_minor: priceMinor,
      rounding: z.enum(["up", "down"]).optional().describe("Whether a package that was begun counts."),
      at_zero: z.enum(["free", "one_package"]).optional().describe("What is due when nothing is billable."),
    }),
    graduated,
    volume,
    stairstep,
    percentage,
    matrix,
    costPlus,
  ])
  .meta({ id: "UsageModel" });

const seatModelSchema = z
  .discriminatedUnion("type", [graduated, volume, stairstep])
  .meta({ id: "SeatModel" });

const priceBase = {
  key,
  name: z.string(),
  product: key.describe("What the revenue is booked under."),
  feature: key.optional().describe("Which feature it charges for: credit for the feature pays its usage."),
};

const timing = z.enum(["in_advance", "in_arrears"]);

const where = z
  .record(z.string(), z.string())
  .optional()
  .describe("Only usage with these values of the meter's dimensions.");

const included = quantity
  .optional()
  .describe("Free in each full period; in part-periods shared as the plan prorates.");

const flatPrice = z.strictObject({
  type: z.literal("flat"),
  ...priceBase,
  timing,
  amount_minor: wholeMinor,
});

const seatPrice = z.strictObject({
  type: z.literal("seat"),
  ...priceBase,
  timing,
  unit_amount_minor: wholeMinor.optional(),
  included_seats: z.int().optional(),
  model: seatModelSchema.optional().describe("What the seats cost together, instead of an amount for each."),
  counting: z
    .enum(["prorated", "peak"])
    .optional()
    .describe("In arrears: each seat for its time, or the most there were."),
});

const usagePrice = z.strictObject({
  type: z.literal("usage"),
  ...priceBase,
  meter: key,
  where,
  unit_label: z.string().optional(),
  model: usageModelSchema,
  included,
  buckets: z
    .strictObject({ per: z.enum(["hour", "day"]), price: z.enum(["sum", "each"]) })
    .optional()
    .describe("Of a maximum: the highest of each hour or day, added up and then priced, or priced each."),
  negative: z
    .enum(["clamped", "mirrored"])
    .optional()
    .describe("What a quantity below zero costs: nothing, or what it would above zero, negative."),
});

const rateCard = z
  .strictObject({
    type: z.literal("rate_card"),
    ...priceBase,
    dimensions,
    classes: z.array(
      z.strictObject({
        key,
        name: z.string(),
        meter: key,
        where,
        unit_label: z.string().optional(),
        included,
      }),
    ),
    pricing: z.discriminatedUnion("type", [
      z.strictObject({
        type: z.literal("fixed"),
        rows: z.array(
          z.strictObject({ values, rates: z.record(z.string(), priceMinor).describe("Class → unit price.") }),
        ),
        defaults: z
          .record(z.string(), priceMinor.nullable())
          .optional()
          .describe("Class → unit price of what no row names."),
      }),
      z.strictObject({
        type: z.literal("cost_plus"),
        cost_table: key,
        markup_percent: markupPercent,
        markups: z.record(z.string(), markupPercent).optional().describe("Class → its own mark-up."),
      }),
    ]),
  })
  .describe("Prices of tokens by class: it becomes a usage price for each class, `key.class`.");

export const priceSchema = z
  .discriminatedUnion("type", [flatPrice, seatPrice, usagePrice])
  .meta({ id: "Price" });

/** As an author writes it. */
export const priceInput = z
  .discriminatedUnion("type", [flatPrice, seatPrice, usagePrice, rateCard])
  .meta({ id: "PriceDefinition" });

export const costTableSchema = z
  .strictObject({
    key,
    name: z.string(),
    currency: z.string().meta({ example: "usd" }),
    dimensions,
    versions: z
      .array(
        z.strictObject({
          effective_at: z
            .string()
            .describe("From when on usage costs this; the first version also holds before.")
            .meta({ example: "2026-03-01T00:00:00Z" }),
          rows: z.array(
            z.strictObject({
              values,
              costs: z.record(z.string(), priceMinor).describe("Class → unit cost."),
            }),
          ),
        }),
      )
      .describe("A version never changes once it is published; versions that are left out stay."),
  })
  .meta({ id: "CostTable" });

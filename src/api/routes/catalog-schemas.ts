import { z } from "zod";
import { aggregations, unitRoundings } from "../../domain/metering/index.ts";
import { textInput } from "../wire.ts";

/**
 * The catalog as it is written in requests and answers. The shape is checked here; what a value must be, and what one
 * part owes to another, is checked by `parseCatalog` of the domain, which also fills in the defaults.
 */

const key = textInput(64).describe("Lower-case letters, digits, `_`, `-` and `.`.");
const priceMinor = z
  .string()
  .describe("Minor units, with up to 12 decimals: token prices are far below a cent.")
  .meta({ example: "0.0003" });
const wholeMinor = z.string().describe("Whole minor units.").meta({ example: "2000" });
const quantity = z.string().describe("An exact quantity.").meta({ example: "1000000" });

const member = z.string().describe("A name in `data`, or a path such as `usage.input_tokens`.");
const bound = z.string().describe("A number as text.").meta({ example: "1000" });
const scalars = z.array(z.union([z.string(), z.boolean(), z.int()]));

const conditionSchema = z
  .strictObject({
    member,
    in: scalars.optional().describe("The value is one of these."),
    not_in: scalars.optional().describe("The value is none of these, or missing."),
    exists: z.boolean().optional().describe("Whether the event has the member, other than null."),
    gt: bound.optional(),
    gte: bound.optional(),
    lt: bound.optional(),
    lte: bound.optional(),
  })
  .meta({ id: "MeterCondition" });

const unitSchema = z
  .strictObject({
    name: z.string().meta({ example: "GiB" }),
    factor: z
      .string()
      .optional()
      .describe("Turns the meter's own quantity into this unit, exactly: a decimal or a quotient.")
      .meta({ example: "1/1073741824" }),
    decimals: z.int().optional().describe("Where the quantity is rounded, once."),
    rounding: z.enum(unitRoundings).optional().describe("`half_even` when left out."),
  })
  .meta({ id: "MeterUnit" });

export const meterSchema = z
  .strictObject({
    key,
    event_type: z.string().describe("The `type` of the usage events that are counted."),
    aggregation: z.enum(aggregations),
    property: member
      .optional()
      .describe("The field of the event's `data` that is measured; none for `count`."),
    value: z
      .string()
      .optional()
      .describe("Instead of `property`: an expression over fields of `data`.")
      .meta({ example: "input_tokens + output_tokens * 4" }),
    filter: z.array(conditionSchema).optional().describe("What must hold of an event for it to count."),
    dimensions: z
      .array(z.string())
      .optional()
      .describe("Fields of `data` by which quantities are kept apart."),
    unit: unitSchema.optional(),
  })
  .meta({ id: "Meter" });

const tiers = z.array(
  z.strictObject({
    up_to: quantity.nullable().describe("The last quantity of the tier; null in the last tier."),
    unit_price_minor: priceMinor,
    flat_minor: priceMinor.optional(),
  }),
);

const usageModelSchema = z
  .discriminatedUnion("type", [
    z.strictObject({ type: z.literal("per_unit"), unit_price_minor: priceMinor }),
    z.strictObject({
      type: z.literal("package"),
      package_size: quantity,
      package_price_minor: priceMinor,
      rounding: z.enum(["up", "down"]).optional().describe("Whether a package that was begun counts."),
    }),
    z
      .strictObject({ type: z.literal("graduated"), tiers })
      .describe("Each unit at the price of its own tier."),
    z
      .strictObject({ type: z.literal("volume"), tiers })
      .describe("All units at the price of the tier reached."),
  ])
  .meta({ id: "UsageModel" });

const priceBase = {
  key,
  name: z.string(),
  product: key.describe("What the revenue is booked under."),
};

const priceSchema = z
  .discriminatedUnion("type", [
    z.strictObject({
      type: z.literal("flat"),
      ...priceBase,
      timing: z.enum(["in_advance", "in_arrears"]),
      amount_minor: wholeMinor,
    }),
    z.strictObject({
      type: z.literal("seat"),
      ...priceBase,
      timing: z.literal("in_advance"),
      unit_amount_minor: wholeMinor,
      included_seats: z.int().optional(),
    }),
    z.strictObject({
      type: z.literal("usage"),
      ...priceBase,
      meter: key,
      where: z
        .record(z.string(), z.string())
        .optional()
        .describe("Only usage with these values of the meter's dimensions."),
      unit_label: z.string().optional(),
      model: usageModelSchema,
      included: quantity.optional().describe("Free in each full period, by the second in part-periods."),
    }),
  ])
  .meta({ id: "Price" });

const planFields = {
  key,
  name: z.string(),
  currency: z.string().meta({ example: "usd" }),
  interval: z.strictObject({ unit: z.enum(["day", "week", "month", "year"]), count: z.int() }),
  grace_seconds: z.int().optional().describe("How long an invoice waits for late usage."),
  dunning: z
    .strictObject({
      retry_after_days: z.array(z.int()).optional().describe("Days after the first failed attempt."),
      final_action: z.enum(["cancel", "uncollectible", "pause"]).optional(),
      access_grace_days: z.int().optional(),
    })
    .optional(),
  prices: z.array(priceSchema),
};

export const catalogInput = z
  .strictObject({ meters: z.array(meterSchema), plans: z.array(z.strictObject(planFields)) })
  .meta({ id: "CatalogDefinition" });

export const planSchema = z.strictObject({ ...planFields, version: z.int() }).meta({ id: "Plan" });

export const catalogSchema = z
  .object({ meters: z.array(meterSchema), plans: z.array(planSchema) })
  .meta({ id: "Catalog" });

export const catalogChangesSchema = z
  .object({
    plans: z.array(
      z.object({
        key: z.string(),
        version: z.int().describe("What new subscriptions get."),
        change: z.enum(["new", "changed", "unchanged"]),
      }),
    ),
  })
  .meta({ id: "CatalogChanges" });

import { z } from "zod";
import { aggregations, unitRoundings } from "../../domain/metering/index.ts";
import { dunningPolicySchema } from "./dunning-terms-schema.ts";
import { featureSchema } from "./feature-schemas.ts";
import { planTerms } from "./plan-terms-schemas.ts";
import { costTableSchema, key, priceInput, priceSchema } from "./price-schemas.ts";

/**
 * The catalog as it is written in requests and answers. The shape is checked here; what a value must be, and what one
 * part owes to another, is checked by `parseCatalog` of the domain, which also fills in the defaults.
 */

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

const bandedSchema = z
  .strictObject({
    dimension: z.string().describe("One of the meter's dimensions; it is then not read from `data`."),
    of: z
      .string()
      .describe("A field of `data`, or an expression over several.")
      .meta({ example: "input_tokens" }),
    bands: z.array(z.strictObject({ name: z.string(), up_to: bound.nullable() })),
  })
  .meta({ id: "MeterBands" });

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
    bands: z
      .array(bandedSchema)
      .optional()
      .describe("Dimensions that name the band a number lies in; the whole event belongs to it."),
    unit: unitSchema.optional(),
    negative: z
      .enum(["refused", "counted"])
      .optional()
      .describe("Whether a sum counts quantities below zero; they are refused when left out."),
  })
  .meta({ id: "Meter" });

const planFields = {
  key,
  name: z.string(),
  currency: z.string().meta({ example: "usd" }),
  ...planTerms,
};

const others = {
  cost_tables: z.array(costTableSchema).optional(),
  features: z.array(featureSchema).optional(),
  dunning_policies: z
    .array(dunningPolicySchema)
    .optional()
    .describe("What plans and customers may choose by its key. Those that are left out stay."),
};

export const catalogInput = z
  .strictObject({
    meters: z.array(meterSchema),
    plans: z.array(z.strictObject({ ...planFields, prices: z.array(priceInput) })),
    ...others,
  })
  .meta({ id: "CatalogDefinition" });

export const planSchema = z
  .strictObject({ ...planFields, prices: z.array(priceSchema), version: z.int() })
  .meta({ id: "Plan" });

export const catalogSchema = z
  .object({ meters: z.array(meterSchema), plans: z.array(planSchema), ...others })
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

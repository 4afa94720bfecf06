import { z } from "zod";
import { calendarUnits, combinations, featureTypes, lengthUnits } from "../../domain/catalog/index.ts";
import { key, quantity, wholeMinor } from "./price-schemas.ts";

/** Features, and what is given of them, as requests and answers write them. */

export const cutOffSchema = z
  .discriminatedUnion("use", [
    z.strictObject({ use: z.literal("allowed") }),
    z.strictObject({ use: z.literal("denied") }),
    z.strictObject({ use: z.literal("allowed_up_to"), quantity }),
  ])
  .describe("What is done where it is used while Reckoner cannot be heard there.")
  .meta({ id: "CutOffPolicy" });

export const featureSchema = z
  .strictObject({
    key,
    name: z.string(),
    type: z.enum(featureTypes),
    meter: key.optional().describe("Of a metered feature."),
    combine: z
      .enum(combinations)
      .optional()
      .describe("Of a setting: how what several sources say becomes one; `first` when left out."),
    caps: z
      .array(key)
      .optional()
      .describe("Of a budget: the charges of prices that belong to these features; all usage when left out."),
    when_limited: z
      .enum(["denied", "allowed"])
      .optional()
      .describe("While access is limited because an invoice is not paid; `denied` when left out."),
    when_cut_off: cutOffSchema.optional(),
  })
  .meta({ id: "Feature" });

const length = z
  .strictObject({ unit: z.enum(lengthUnits), count: z.int() })
  .describe("By a stopwatch: a day has 24 hours.");

export const limitWindowSchema = z
  .discriminatedUnion("type", [
    z.strictObject({ type: z.literal("calendar"), unit: z.enum(calendarUnits) }),
    z.strictObject({ type: z.literal("billing_cycle") }),
    z.strictObject({ type: z.literal("rolling"), length }),
    z.strictObject({ type: z.literal("first_use"), length }),
    z.strictObject({ type: z.literal("never") }),
  ])
  .describe("The stretch of time of which the limit speaks.")
  .meta({ id: "LimitWindow" });

const limitSchema = z
  .strictObject({
    quantity: quantity.optional().describe("Of a metered feature, in the meter's unit."),
    amount_minor: wholeMinor.optional().describe("Of a budget."),
    window: limitWindowSchema,
    per: z
      .array(z.string())
      .optional()
      .describe("Dimensions of the meter: each combination of their values has the limit for itself."),
    where: z
      .record(z.string(), z.string())
      .optional()
      .describe("Only usage with these values of dimensions."),
    beyond: z
      .enum(["denied", "charged"])
      .optional()
      .describe("Whether more is denied or charged for; `denied` when left out."),
  })
  .meta({ id: "Limit" });

/** All but the feature. */
export const entitlementFields = {
  limit: quantity
    .optional()
    .describe("Of a metered feature: in each billing cycle; the short form of one limit."),
  limits: z.array(limitSchema).optional().describe("All of them hold. Without any there is no limit."),
  value: z.string().optional().describe("Of a setting; a number is a text too."),
  values: z.array(z.string()).optional().describe("Of a setting that is a list."),
  when_cut_off: cutOffSchema.optional(),
};

export const entitlementSchema = z
  .strictObject({ feature: key, ...entitlementFields })
  .meta({ id: "Entitlement" });

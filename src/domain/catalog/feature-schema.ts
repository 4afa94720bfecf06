import { z } from "zod";
import { calendarUnits, combinations, featureTypes, lengthUnits } from "./feature.ts";
import { dimensionValues, key, memberName, name, quantity, text, wholeMinor } from "./fields.ts";

const whenCutOff = z.discriminatedUnion(
  "use",
  [
    z.strictObject({ use: z.literal("allowed") }),
    z.strictObject({ use: z.literal("denied") }),
    z.strictObject({ use: z.literal("allowed_up_to"), quantity }),
  ],
  'write "allowed", "denied" or "allowed_up_to"',
);

export const feature = z.strictObject({
  key,
  name,
  type: z.enum(featureTypes),
  meter: key.exactOptional(),
  combine: z.enum(combinations).exactOptional(),
  caps: z
    .array(key)
    .min(1, "name at least one feature")
    .max(200, "name at most 200 features")
    .exactOptional(),
  whenLimited: z.enum(["denied", "allowed"]).exactOptional(),
  whenCutOff: whenCutOff.exactOptional(),
});

const length = z.strictObject({ unit: z.enum(lengthUnits), count: z.int().min(1).max(1000) });

const window = z.discriminatedUnion(
  "type",
  [
    z.strictObject({ type: z.literal("calendar"), unit: z.enum(calendarUnits) }),
    z.strictObject({ type: z.literal("billing_cycle") }),
    z.strictObject({ type: z.literal("rolling"), length }),
    z.strictObject({ type: z.literal("first_use"), length }),
    z.strictObject({ type: z.literal("never") }),
  ],
  'write "calendar", "billing_cycle", "rolling", "first_use" or "never"',
);

const limit = z.strictObject({
  quantity: quantity.exactOptional(),
  amountMinor: wholeMinor.exactOptional(),
  window,
  per: z.array(memberName).min(1, "name at least one dimension, or leave it out").max(8).exactOptional(),
  where: dimensionValues.exactOptional(),
  beyond: z.enum(["denied", "charged"]).exactOptional(),
});

/** The shape of what is given of a feature; what it owes to the feature is checked in `entitlement-checks.ts`. */
export const entitlement = z.strictObject({
  feature: key,
  limit: quantity.exactOptional(),
  limits: z
    .array(limit)
    .min(1, "write at least one limit, or none for no limit")
    .max(20, "write at most 20 limits")
    .exactOptional(),
  value: text(200).exactOptional(),
  values: z.array(text(200)).max(500, "write at most 500 values").exactOptional(),
  whenCutOff: whenCutOff.exactOptional(),
});

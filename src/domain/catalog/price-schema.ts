import { z } from "zod";
import {
  dimensionValues,
  key,
  markupPercent,
  name,
  priceMinor,
  quantity,
  text,
  wholeMinor,
} from "./fields.ts";
import { dimensionNames, seatModel, usageModel } from "./model-schema.ts";

const timing = z.enum(["in_advance", "in_arrears"]);
const unitLabel = text(40).default("unit");
const where = dimensionValues.default({});

const priceBase = { key, name, product: key, feature: key.exactOptional() };

const flat = z.strictObject({
  type: z.literal("flat"),
  ...priceBase,
  timing,
  amountMinor: wholeMinor,
});

const seat = z.strictObject({
  type: z.literal("seat"),
  ...priceBase,
  timing,
  unitAmountMinor: wholeMinor.exactOptional(),
  includedSeats: z.int().min(0).max(1_000_000).default(0),
  model: seatModel.exactOptional(),
  counting: z.enum(["prorated", "peak"]).exactOptional(),
});

const usage = z.strictObject({
  type: z.literal("usage"),
  ...priceBase,
  meter: key,
  where,
  unitLabel,
  model: usageModel,
  included: quantity.default("0"),
  buckets: z.strictObject({ per: z.enum(["hour", "day"]), price: z.enum(["sum", "each"]) }).exactOptional(),
  negative: z.enum(["clamped", "mirrored"]).exactOptional(),
});

const tokenClass = z.strictObject({
  key,
  name,
  meter: key,
  where,
  unitLabel: text(40).default("token"),
  included: quantity.default("0"),
});

const fixedRates = z.strictObject({
  type: z.literal("fixed"),
  rows: z
    .array(z.strictObject({ values: dimensionValues, rates: z.record(key, priceMinor) }))
    .min(1, "write at least one row")
    .max(2000, "write at most 2000 rows"),
  defaults: z.record(key, priceMinor.nullable()).default({}),
});

const costRates = z.strictObject({
  type: z.literal("cost_plus"),
  costTable: key,
  markupPercent,
  markups: z.record(key, markupPercent).default({}),
});

const rateCard = z.strictObject({
  type: z.literal("rate_card"),
  ...priceBase,
  dimensions: dimensionNames,
  classes: z
    .array(tokenClass)
    .min(1, "write at least one class of tokens")
    .max(20, "write at most 20 classes of tokens"),
  pricing: z.discriminatedUnion("type", [fixedRates, costRates], 'write "fixed" or "cost_plus"'),
});

/** The shape of a price as it is written; a rate card becomes a usage price for each of its classes. */
export const price = z.discriminatedUnion(
  "type",
  [flat, seat, usage, rateCard],
  'write "flat", "seat", "usage" or "rate_card"',
);

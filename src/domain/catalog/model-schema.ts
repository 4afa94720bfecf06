import { z } from "zod";
import {
  dimensionValues,
  key,
  markupPercent,
  memberName,
  percent,
  positiveQuantity,
  priceMinor,
} from "./fields.ts";

const tier = z.strictObject({
  upTo: positiveQuantity.nullable(),
  unitPriceMinor: priceMinor,
  flatMinor: priceMinor.default("0"),
});

const tiers = z.array(tier).min(1, "write at least one tier").max(100, "write at most 100 tiers");

const steps = z
  .array(z.strictObject({ upTo: positiveQuantity.nullable(), priceMinor }))
  .min(1, "write at least one step")
  .max(100, "write at most 100 steps");

const flatAtZero = z.boolean().exactOptional();

export const dimensionNames = z
  .array(memberName)
  .min(1, "name at least one dimension")
  .max(4, "name at most 4 dimensions");

const graduated = z.strictObject({ type: z.literal("graduated"), tiers, flatAtZero });
const volume = z.strictObject({ type: z.literal("volume"), tiers, flatAtZero });
const stairstep = z.strictObject({ type: z.literal("stairstep"), steps, flatAtZero });

/** The shape of a price model; what its parts owe to each other is checked in `model-checks.ts`. */
export const usageModel = z.discriminatedUnion(
  "type",
  [
    z.strictObject({ type: z.literal("per_unit"), unitPriceMinor: priceMinor }),
    z.strictObject({
      type: z.literal("package"),
      packageSize: positiveQuantity,
      packagePriceMinor: priceMinor,
      rounding: z.enum(["up", "down"]).default("up"),
      atZero: z.enum(["free", "one_package"]).exactOptional(),
    }),
    graduated,
    volume,
    stairstep,
    z.strictObject({
      type: z.literal("percentage"),
      percent,
      feePerEventMinor: priceMinor.exactOptional(),
      freeEvents: z.int().min(0).max(1_000_000_000).exactOptional(),
      freeAmountMinor: priceMinor.exactOptional(),
      perEventMinMinor: priceMinor.exactOptional(),
      perEventMaxMinor: priceMinor.exactOptional(),
    }),
    z.strictObject({
      type: z.literal("matrix"),
      dimensions: dimensionNames,
      cells: z
        .array(z.strictObject({ values: dimensionValues, unitPriceMinor: priceMinor }))
        .max(2000, "write at most 2000 cells"),
      defaultUnitPriceMinor: priceMinor.nullable(),
    }),
    z.strictObject({
      type: z.literal("cost_plus"),
      costTable: key,
      tokenClass: key,
      dimensions: dimensionNames,
      markupPercent,
    }),
  ],
  'write "per_unit", "package", "graduated", "volume", "stairstep", "percentage", "matrix" or "cost_plus"',
);

export const seatModel = z.discriminatedUnion(
  "type",
  [graduated, volume, stairstep],
  'write "graduated", "volume" or "stairstep"',
);

import { z } from "zod";
import { aggregations, canonicalFactor, isFactor, memberPath, unitRoundings } from "../metering/index.ts";
import { canonical, key, memberName, text } from "./fields.ts";

const path = z
  .string()
  .regex(memberPath, "write a name such as input_tokens, or a path such as usage.input_tokens");

const scalar = z.union([text(200, 0), z.boolean(), z.int()], "write text, true, false or a whole number");

const scalars = z.array(scalar).min(1, "write at least one value").max(100, "write at most 100 values");

const bound = z
  .string()
  .regex(/^-?\d{1,18}(\.\d{1,12})?$/, 'write a number as text, such as "1000"')
  .transform(canonical);

const condition = z.strictObject({
  member: path,
  in: scalars.exactOptional(),
  notIn: scalars.exactOptional(),
  exists: z.boolean().exactOptional(),
  gt: bound.exactOptional(),
  gte: bound.exactOptional(),
  lt: bound.exactOptional(),
  lte: bound.exactOptional(),
});

const unit = z.strictObject({
  name: text(40),
  factor: z
    .string()
    .refine(isFactor, 'write a factor above zero, such as "3600", "0.001" or "1/1073741824"')
    .transform(canonicalFactor)
    .exactOptional(),
  decimals: z.int().min(0).max(12).exactOptional(),
  rounding: z.enum(unitRoundings).exactOptional(),
});

const banded = z.strictObject({
  dimension: memberName,
  of: z.string(),
  bands: z
    .array(z.strictObject({ name: text(60), upTo: bound.nullable() }))
    .min(2, "write at least two bands")
    .max(20, "write at most 20 bands"),
});

/** The shape of a meter; what its parts owe to each other is checked in `meter-checks.ts`. */
export const meter = z.strictObject({
  key,
  eventType: text(200),
  aggregation: z.enum(aggregations),
  property: path.exactOptional(),
  value: z.string().exactOptional(),
  filter: z
    .array(condition)
    .min(1, "write at least one condition, or no filter")
    .max(20, "a filter has at most 20 conditions")
    .exactOptional(),
  dimensions: z.array(memberName).max(8, "a meter has at most 8 dimensions").default([]),
  bands: z.array(banded).min(1, "write at least one, or no bands").max(8).exactOptional(),
  unit: unit.exactOptional(),
  negative: z.enum(["refused", "counted"]).exactOptional(),
});

import { z } from "zod";
import { intervalUnits } from "../calendar/index.ts";
import { type Currency, isCurrency } from "../money/index.ts";
import { canonical, key, memberName, text } from "./fields.ts";
import { meter } from "./meter-schema.ts";

/** The most decimals of a minor unit that a price may have. */
const priceDecimalsMax = 12;

const name = text(120);

// Usage without the dimension has the empty value, and may be priced too.
const dimensionValue = text(200, 0);

const currencyCode = z.custom<Currency>(isCurrency, 'write a lower-case ISO 4217 code such as "usd"');

const wholeMinor = z
  .string()
  .regex(/^\d{1,18}$/, 'write whole minor units as text, zero or more, such as "1999"')
  .transform(canonical);

const priceMinor = z
  .string()
  .regex(
    new RegExp(`^\\d{1,18}(\\.\\d{1,${priceDecimalsMax}})?$`),
    `write minor units as text, zero or more, with at most ${priceDecimalsMax} decimals, such as "0.0003"`,
  )
  .transform(canonical);

const quantity = z
  .string()
  .regex(/^\d{1,18}(\.\d{1,12})?$/, 'write a quantity as text, zero or more, such as "1000000"')
  .transform(canonical);

const positiveQuantity = quantity.refine((size) => size !== "0", "must be more than zero");

const interval = z.strictObject({ unit: z.enum(intervalUnits), count: z.int().min(1).max(366) });

const dunning = z.strictObject({
  retryAfterDays: z.array(z.int().min(1).max(365)).max(15).default([3, 5, 7]),
  finalAction: z.enum(["cancel", "uncollectible", "pause"]).default("cancel"),
  accessGraceDays: z.int().min(0).max(365).default(7),
});

const tier = z.strictObject({
  upTo: positiveQuantity.nullable(),
  unitPriceMinor: priceMinor,
  flatMinor: priceMinor.default("0"),
});

const tiers = z.array(tier).min(1, "write at least one tier").max(100, "write at most 100 tiers");

const usageModel = z.discriminatedUnion(
  "type",
  [
    z.strictObject({ type: z.literal("per_unit"), unitPriceMinor: priceMinor }),
    z.strictObject({
      type: z.literal("package"),
      packageSize: positiveQuantity,
      packagePriceMinor: priceMinor,
      rounding: z.enum(["up", "down"]).default("up"),
    }),
    z.strictObject({ type: z.literal("graduated"), tiers }),
    z.strictObject({ type: z.literal("volume"), tiers }),
  ],
  'write "per_unit", "package", "graduated" or "volume"',
);

const price = z.discriminatedUnion(
  "type",
  [
    z.strictObject({
      type: z.literal("flat"),
      key,
      name,
      product: key,
      timing: z.enum(["in_advance", "in_arrears"]),
      amountMinor: wholeMinor,
    }),
    z.strictObject({
      type: z.literal("seat"),
      key,
      name,
      product: key,
      timing: z.literal("in_advance", 'seats are billed "in_advance"'),
      unitAmountMinor: wholeMinor,
      includedSeats: z.int().min(0).max(1_000_000).default(0),
    }),
    z.strictObject({
      type: z.literal("usage"),
      key,
      name,
      product: key,
      meter: key,
      where: z.record(memberName, dimensionValue).default({}),
      unitLabel: text(40).default("unit"),
      model: usageModel,
      included: quantity.default("0"),
    }),
  ],
  'write "flat", "seat" or "usage"',
);

const plan = z.strictObject({
  key,
  name,
  currency: currencyCode,
  interval,
  graceSeconds: z
    .int()
    .min(0)
    .max(30 * 86_400)
    .default(3600),
  dunning: dunning.prefault({}),
  prices: z.array(price).max(200, "a plan has at most 200 prices"),
});

/** The shape of a catalog; what one part says about another is checked in `checks.ts`. */
export const catalogSchema = z.strictObject({ meters: z.array(meter), plans: z.array(plan) });

import { z } from "zod";
import { factor, key, name, percent, positiveMinor, quantity, wholeMinor } from "./fields.ts";
import { usageModel } from "./model-schema.ts";
import { interval } from "./period-schema.ts";

const prices = z.union(
  [z.literal("all"), z.array(key).min(1, "name at least one price").max(200, "name at most 200 prices")],
  'write "all" or a list of keys of prices',
);

const adjustmentBase = { key, name, prices: prices.default("all") };

const discount = { ...adjustmentBase, periods: z.int().min(1).max(1200).nullable().default(null) };

const prorated = z.boolean().default(true);

export const adjustment = z.discriminatedUnion(
  "type",
  [
    z.strictObject({
      type: z.literal("minimum"),
      ...adjustmentBase,
      amountMinor: positiveMinor,
      product: key,
      prorated,
    }),
    z.strictObject({ type: z.literal("maximum"), ...adjustmentBase, amountMinor: wholeMinor, prorated }),
    z.strictObject({
      type: z.literal("commitment"),
      ...adjustmentBase,
      amountMinor: positiveMinor,
      overageFactor: factor.default("1"),
      trueUp: z.boolean().default(true),
      product: key,
      prorated,
    }),
    z.strictObject({ type: z.literal("percent_discount"), ...discount, percent }),
    z.strictObject({ type: z.literal("amount_discount"), ...discount, amountMinor: positiveMinor }),
  ],
  'write "minimum", "maximum", "commitment", "percent_discount" or "amount_discount"',
);

const overwrite = z.strictObject({
  amountMinor: wholeMinor.exactOptional(),
  unitAmountMinor: wholeMinor.exactOptional(),
  includedSeats: z.int().min(0).max(1_000_000).exactOptional(),
  model: usageModel.exactOptional(),
  included: quantity.exactOptional(),
});

export const priceOverride = z.strictObject({
  prices,
  priority: z.int().min(0).max(1000).default(100),
  effect: z.discriminatedUnion(
    "type",
    [
      z.strictObject({ type: z.literal("overwrite"), price: overwrite }),
      z.strictObject({ type: z.literal("multiplier"), factor }),
    ],
    'write "overwrite" or "multiplier"',
  ),
});

const overrides = (of: string) => z.array(priceOverride).max(100, `${of} has at most 100 overrides`);

/** What is agreed with one customer. */
export const contractSchema = z.strictObject({ overrides: overrides("a contract") });

export const phase = z.strictObject({
  key,
  name,
  periods: z.int().min(1).max(1200).nullable(),
  overrides: overrides("a phase"),
});

export const thresholds = z.strictObject({
  amountsMinor: z
    .array(positiveMinor)
    .min(1, "write at least one amount")
    .max(50, "write at most 50 amounts"),
  recurringMinor: positiveMinor.exactOptional(),
});

export const trial = z.strictObject({
  length: interval,
  endAction: z.enum(["convert", "cancel", "pause"]).default("convert"),
  usage: z.enum(["free", "billed"]).default("free"),
  anchor: z.enum(["trial_start", "trial_end"]).default("trial_end"),
});

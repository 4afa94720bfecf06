import { z } from "zod";
import { intervalUnits } from "../../domain/calendar/index.ts";
import { prorationUnits, settlements } from "../../domain/catalog/index.ts";
import { type BurnOrder, burnOrders, earlierUsages } from "../../domain/credits/index.ts";
import { dunningTermsSchema } from "./dunning-terms-schema.ts";
import { entitlementSchema } from "./feature-schemas.ts";
import { key, percent, quantity, usageModelSchema, wholeMinor } from "./price-schemas.ts";

/** What a plan says besides its prices, as it is written in requests and answers. */

const prices = z
  .union([z.literal("all"), z.array(z.string())])
  .describe("The prices it is for; the key of a rate card stands for all its classes.");

const adjustmentBase = { key, name: z.string(), prices: prices.optional() };
const prorated = z.boolean().optional().describe("In a part of a period only its share.");
const product = key.describe("What the revenue is booked under.");
const periods = z
  .int()
  .nullable()
  .optional()
  .describe("Only the first so many periods of a subscription; null for ever.");

const adjustmentSchema = z
  .discriminatedUnion("type", [
    z.strictObject({
      type: z.literal("minimum"),
      ...adjustmentBase,
      amount_minor: wholeMinor,
      product,
      prorated,
    }),
    z.strictObject({ type: z.literal("maximum"), ...adjustmentBase, amount_minor: wholeMinor, prorated }),
    z.strictObject({
      type: z.literal("commitment"),
      ...adjustmentBase,
      amount_minor: wholeMinor,
      overage_factor: z
        .string()
        .optional()
        .describe("What each minor unit above the commitment costs.")
        .meta({ example: "1.5" }),
      true_up: z.boolean().optional().describe("Whether what is missing to the commitment is charged."),
      product,
      prorated,
    }),
    z.strictObject({ type: z.literal("percent_discount"), ...adjustmentBase, percent, periods }),
    z.strictObject({
      type: z.literal("amount_discount"),
      ...adjustmentBase,
      amount_minor: wholeMinor,
      periods,
    }),
  ])
  .meta({ id: "PriceAdjustment" });

export const priceOverrideSchema = z
  .strictObject({
    prices,
    priority: z.int().optional().describe("Of several of a kind the lowest counts."),
    effect: z.discriminatedUnion("type", [
      z.strictObject({
        type: z.literal("overwrite"),
        price: z.strictObject({
          amount_minor: wholeMinor.optional(),
          unit_amount_minor: wholeMinor.optional(),
          included_seats: z.int().optional(),
          model: usageModelSchema.optional(),
          included: quantity.optional(),
        }),
      }),
      z.strictObject({ type: z.literal("multiplier"), factor: z.string().meta({ example: "0.8" }) }),
    ]),
  })
  .meta({ id: "PriceOverride" });

const phaseSchema = z
  .strictObject({
    key,
    name: z.string(),
    periods: z.int().nullable().describe("How many periods it lasts; null in the last phase."),
    overrides: z.array(priceOverrideSchema),
  })
  .meta({ id: "PlanPhase" });

const intervalSchema = z.strictObject({ unit: z.enum([...intervalUnits, "quarter"]), count: z.int() });

const anchorSchema = z
  .discriminatedUnion("type", [
    z.strictObject({ type: z.literal("anniversary") }),
    z.strictObject({
      type: z.literal("calendar"),
      weekday: z.int().optional().describe("1 is Monday."),
      day: z.int().optional(),
      month: z.int().optional(),
      stub: z
        .enum(["prorated", "free", "full"])
        .optional()
        .describe("What the time up to the first boundary costs."),
    }),
  ])
  .describe("Where periods begin; where the subscription did when left out.");

const prorationSchema = z
  .strictObject({
    unit: z.enum(prorationUnits).optional(),
    change_day_belongs_to: z.enum(["old", "new"]).optional(),
    credit_basis: z.enum(["list", "paid"]).optional(),
    settle: z.enum(settlements).optional(),
    interval_change: z.enum(["reset_and_charge", "keep_and_prorate"]).optional(),
  })
  .meta({ id: "ProrationPolicy" });

const creditPolicySchema = z
  .strictObject({
    burn_order: z
      .enum(Object.keys(burnOrders) as BurnOrder[])
      .optional()
      .describe("Which grant is spent first; `priority_first` when left out."),
    earlier_usage: z
      .enum(earlierUsages)
      .optional()
      .describe("Whether a grant pays for usage from before it took effect; `same_period` when left out."),
    give_back: z
      .enum(["credits_first", "money_first"])
      .optional()
      .describe("What comes back first when less is owed than was billed; `credits_first` when left out."),
    when_ended: z
      .enum(["paid_to_balance", "all_to_balance"])
      .optional()
      .describe(
        "What of it goes to the customer's balance when its grant has ended; what was paid for, when left out.",
      ),
  })
  .meta({ id: "CreditPolicy" });

/** All but the prices. */
export const planTerms = {
  interval: intervalSchema,
  anchor: anchorSchema.optional(),
  grace_seconds: z.int().optional().describe("How long an invoice waits for late usage."),
  dunning: dunningTermsSchema.optional().describe("What follows a failed payment."),
  adjustments: z
    .array(adjustmentSchema)
    .optional()
    .describe("Applied in this order to what the prices came to."),
  phases: z
    .array(phaseSchema)
    .optional()
    .describe("What the prices are in the first periods, and after them."),
  thresholds: z
    .strictObject({ amounts_minor: z.array(wholeMinor), recurring_minor: wholeMinor.optional() })
    .optional()
    .describe("An invoice as soon as the charges of a period reach an amount."),
  proration: prorationSchema.optional(),
  credits: creditPolicySchema.optional().describe("How credit pays for its usage."),
  rounding: z
    .enum(["line", "net"])
    .optional()
    .describe("Whether each line is rounded, or only their sum; each line when left out."),
  trial: z
    .strictObject({
      length: intervalSchema,
      end_action: z.enum(["convert", "cancel", "pause"]).optional(),
      usage: z.enum(["free", "billed"]).optional(),
      anchor: z.enum(["trial_start", "trial_end"]).optional(),
    })
    .optional(),
  requires: z.array(key).optional().describe("Of an add-on: it is sold only beside one of these plans."),
  entitlements: z.array(entitlementSchema).optional().describe("What the plan gives of features."),
  notices: z
    .strictObject({
      upcoming_invoice_days: z.int().optional().describe("Before an invoice; 0 for no notice of it."),
      trial_ending_days: z.int().optional(),
    })
    .optional()
    .describe("How many days ahead customers are told; 7 and 3 when left out."),
};

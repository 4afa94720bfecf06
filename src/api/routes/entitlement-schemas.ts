import { z } from "zod";
import { featureTypes } from "../../domain/catalog/index.ts";
import {
  allowedReasons,
  deniedReasons,
  paymentBuckets,
  sourceKinds,
} from "../../domain/entitlements/index.ts";
import { accessLevels, subscriptionStatuses } from "../../domain/lifecycle/index.ts";
import { currencyText, decimalText, instantText } from "../wire.ts";
import { limitWindowSchema } from "./feature-schemas.ts";

/** Answers about what a customer may use. */

const levelText = z
  .string()
  .describe("`customer`, or the dimensions of which each value has the limit for itself.")
  .meta({ example: "user" });

const amounts = {
  quantity: decimalText.optional().describe("Of a metered feature, in the meter's unit."),
  amount_minor: decimalText.optional().describe("Of a budget."),
  used: decimalText.nullable().describe("In the window; null where nobody said whose usage counts."),
  left: decimalText.nullable(),
  resets_at: instantText
    .nullable()
    .describe(
      "When the window begins anew. Of a rolling one that denies: when what is asked fits again, if nothing more is used.",
    ),
};

export const sourceSchema = z
  .object({
    type: z.enum(sourceKinds),
    subscription: z.string().nullable(),
    plan: z.string().nullable(),
    plan_version: z.int().nullable(),
    feature_grant: z.string().nullable(),
    since: instantText,
    until: instantText.nullable(),
  })
  .meta({ id: "EntitlementSource" });

const limitStateSchema = z
  .object({
    level: levelText,
    ...amounts,
    beyond: z.enum(["denied", "charged"]),
    window: limitWindowSchema,
    window_start: instantText.nullable().describe("Null before the first use."),
    window_end: instantText.nullable(),
    per: z.array(z.string()),
    where: z.record(z.string(), z.string()),
    sources: z.array(z.int()).describe("Places in `sources`: what each gives adds up."),
  })
  .meta({ id: "LimitState" });

const decidedBySchema = z
  .object({ feature: z.string().describe("What was asked for, or a budget."), level: levelText, ...amounts })
  .nullable()
  .describe("The limit that decided; null where none did.");

export const entitlementStateSchema = z
  .object({
    feature: z.string(),
    type: z.enum(featureTypes),
    allowed: z.boolean(),
    reason: z.enum([...allowedReasons, ...deniedReasons]).describe("Stable: branch on this."),
    decided_by: decidedBySchema,
    setting: z
      .union([z.string(), z.array(z.string())])
      .nullable()
      .describe("Of a setting."),
    limits: z.array(limitStateSchema).nullable().describe("Null without limit, and of what is not metered."),
    sources: z.array(sourceSchema).describe("What gives it, in the order in which it was combined."),
    hindered_by: z
      .string()
      .nullable()
      .describe("The subscription that would give it, were it not paused or incomplete."),
  })
  .meta({ id: "EntitlementState" });

export const checkedFeatureSchema = entitlementStateSchema
  .extend({
    budgets: z
      .array(z.object({ feature: z.string(), ...limitStateSchema.omit({ sources: true }).shape }))
      .describe("That cap what it costs."),
    next: z
      .object({
        quantity: decimalText,
        cost_minor: decimalText
          .nullable()
          .describe(
            "What that much more adds to the period's charges, exact, before discounts and minimums; null where it is only " +
              "known when the period is rated.",
          ),
        paid_from: z.array(
          z.object({
            bucket: z.enum(paymentBuckets),
            credit_grant: z.string().nullable(),
            amount_minor: decimalText,
          }),
        ),
      })
      .nullable()
      .describe("Of a metered feature that is given."),
  })
  .meta({ id: "CheckedFeature" });

const standing = {
  customer: z.string(),
  as_of: instantText.describe("The customer's time."),
  currency: currencyText,
  access: z
    .object({ level: z.enum(accessLevels), invoice: z.string().nullable() })
    .describe("What invoices that are not paid leave, and which of them."),
  subscriptions: z
    .array(z.object({ id: z.string(), status: z.enum(subscriptionStatuses) }))
    .describe("Those that have not ended."),
};

export const entitlementCheckSchema = z
  .object({
    ...standing,
    allowed: z.boolean().describe("Whether all of them are."),
    features: z.array(checkedFeatureSchema),
  })
  .meta({ id: "EntitlementCheck" });

export const entitlementListSchema = z
  .object({ ...standing, data: z.array(entitlementStateSchema) })
  .meta({ id: "EntitlementList" });

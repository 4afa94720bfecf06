import { z } from "zod";
import { deniedReasons } from "../../domain/entitlements/index.ts";
import { accessLevels } from "../../domain/lifecycle/index.ts";
import { cutOffSchema } from "../routes/feature-schemas.ts";
import { currencyText, decimalText, instantText } from "../wire.ts";

/** What is signed, as who verifies it finds it in the payload: `docs/edge.md`. */

const limitInSnapshotSchema = z.object({
  quantity: decimalText,
  beyond: z.enum(["denied", "charged"]),
  per: z.array(z.string()).describe("Dimensions of which each combination of values has it for itself."),
  where: z.record(z.string(), z.string()),
  window: z.enum(["calendar", "billing_cycle", "rolling", "first_use", "never"]),
  grows: z
    .enum(["by_sum", "by_largest"])
    .describe("Whether what is asked adds to what is used, or is compared with it."),
  used: z
    .array(
      z.object({
        of: z.array(z.string()).describe("The values, in the order of `per`."),
        quantity: decimalText,
        resets_at: instantText.nullable(),
      }),
    )
    .describe("Those who have used the most, at most 1,000."),
  others_used_max: decimalText.describe("What those have used at most who are not named."),
});
export type LimitInSnapshot = z.infer<typeof limitInSnapshotSchema>;

const featureInSnapshotSchema = z.object({
  type: z.enum(["boolean", "config", "metered"]),
  denied: z
    .enum(deniedReasons)
    .nullable()
    .describe("What denies it, whatever is asked; null where it is given."),
  setting: z.union([z.string(), z.array(z.string())]).nullable(),
  compare: z
    .enum(["list", "number", "text"])
    .nullable()
    .describe("How a value is compared with the setting."),
  limits: z.array(limitInSnapshotSchema).nullable(),
  budget: z
    .object({ feature: z.string(), resets_at: instantText.nullable() })
    .nullable()
    .describe("A budget into which one unit more does not fit."),
  when_cut_off: cutOffSchema,
});
export type FeatureInSnapshot = z.infer<typeof featureInSnapshotSchema>;

export const snapshotContentSchema = z.object({
  currency: currencyText,
  clock: z.enum(["wall", "test"]),
  access: z.object({ level: z.enum(accessLevels), invoice: z.string().nullable() }),
  features: z.record(z.string(), featureInSnapshotSchema),
});
export type SnapshotContent = z.infer<typeof snapshotContentSchema>;

export const snapshotClaimsSchema = z
  .object({
    sub: z.string().describe("The customer."),
    iat: z.number().describe("When it was signed, in seconds."),
    exp: z.number().describe("Until when it may be used, in seconds."),
    position: z.string().describe("A number: higher is later. What is lower than what is held is not taken."),
    digest: z.string().describe("Of the content: a renewal says that this is still right."),
    as_of: instantText.describe("The customer's time."),
    content: snapshotContentSchema.optional().describe("Left out in a renewal."),
  })
  .meta({ id: "EntitlementSnapshotClaims" });
export type SnapshotClaims = z.infer<typeof snapshotClaimsSchema>;

import { z } from "zod";
import { couponOccasions, couponStackings } from "../../db/schema/promotions.ts";
import {
  currencyInput,
  currencyText,
  idInput,
  instantInput,
  instantText,
  minorText,
  positiveMinorInput,
  textInput,
} from "../wire.ts";
import { scopeInput, scopeSchema } from "./credit-scope.ts";
import { actorText } from "./decisions-wire.ts";

/** Coupons in requests and answers. */

export const limits = {
  redemptions_max: z
    .int()
    .min(1)
    .max(1_000_000_000)
    .nullable()
    .default(null)
    .describe("In total; null: no limit."),
  per_customer_max: z.int().min(1).max(1_000).default(1),
  stacking: z
    .enum(couponStackings)
    .default("stackable")
    .describe(
      "`exclusive`: not together with another coupon of its campaign or, where it has none, of none.",
    ),
};

export const couponInput = z.strictObject({
  given_on: z
    .enum(couponOccasions)
    .default("code")
    .describe(
      "By a code that is typed in; by itself to each new customer; by itself to both sides of a referral.",
    ),
  code: z
    .string()
    .transform((text) => text.toUpperCase())
    .pipe(z.string().regex(/^[A-Z0-9][A-Z0-9-]{2,39}$/, { error: "must be 3 to 40 letters, digits or -" }))
    .optional(),
  name: textInput(200),
  campaign: idInput.optional(),
  currency: currencyInput,
  amount_minor: positiveMinorInput.describe("The credit that it gives, promotional."),
  priority: z.int().min(0).max(100).default(50),
  expires_after_days: z
    .int()
    .min(1)
    .max(3_650)
    .nullable()
    .default(null)
    .describe("Of the credit; null: for ever."),
  scope: scopeInput.optional(),
  starts_at: instantInput.optional().describe("At once, when left out."),
  ends_at: instantInput.optional().describe("Never, when left out."),
  plans: z
    .array(z.string().min(1).max(64))
    .min(1)
    .max(100)
    .optional()
    .describe("Only on a subscription of these."),
  ...limits,
});

export const couponSchema = z
  .object({
    id: z.string(),
    given_on: z.enum(couponOccasions),
    code: z.string().nullable(),
    name: z.string(),
    campaign: z.string().nullable(),
    currency: currencyText,
    amount_minor: minorText,
    priority: z.int(),
    expires_after_days: z.int().nullable(),
    scope: scopeSchema,
    starts_at: instantText,
    ends_at: instantText.nullable(),
    plans: z.array(z.string()).nullable(),
    redemptions_max: z.int().nullable(),
    per_customer_max: z.int(),
    stacking: z.enum(couponStackings),
    redemptions: z.int().describe("How often it was redeemed."),
    created_by: actorText,
    created_at: instantText,
    end: z.object({ ended_by: actorText, ended_at: instantText }).nullable(),
  })
  .meta({ id: "Coupon" });

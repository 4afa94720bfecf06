import { z } from "zod";
import { currencyText, decimalText, instantText, minorText, positiveMinorInput } from "../wire.ts";
import { actorText } from "./decisions-wire.ts";

/** Rules that buy credit by themselves, in requests and answers. */

export const coolDownSecondsMax = 31 * 86_400;

export const ruleInput = z.strictObject({
  threshold_minor: z
    .string()
    .regex(/^(0|[1-9]\d{0,15})$/, { error: "must be whole minor units, zero or more, as a text" })
    .transform(BigInt)
    .describe("When at most so much credit is left, after usage that is not billed yet, credit is bought."),
  amount_minor: positiveMinorInput.describe("How much is bought each time."),
  monthly_limit_minor: positiveMinorInput
    .optional()
    .describe(
      "The most that is bought by itself in a month of the customer's calendar; no limit, when left out.",
    ),
  cool_down_seconds: z
    .int()
    .min(0)
    .max(coolDownSecondsMax)
    .default(3_600)
    .describe("Not sooner than this after the purchase before."),
  expires_after_days: z
    .int()
    .min(1)
    .max(3_650)
    .optional()
    .describe("How long what is bought can be spent; for ever, when left out."),
  priority: z.int().min(0).max(100).default(50).describe("The lowest is spent first."),
});

export const purchaseSchema = z.object({
  credit_grant: z.string(),
  invoice: z.string(),
  state: z
    .enum(["outstanding", "paid", "withdrawn"])
    .describe("It can be spent once it is paid; while one is outstanding no other is begun."),
  amount_minor: minorText,
  credit_left_minor: decimalText.describe("What was left when it was begun."),
  begun_at: instantText,
});

export const ruleSchema = z
  .object({
    id: z.string(),
    customer: z.string(),
    currency: currencyText,
    threshold_minor: minorText,
    amount_minor: minorText,
    monthly_limit_minor: minorText.nullable(),
    cool_down_seconds: z.int(),
    expires_after_days: z.int().nullable(),
    priority: z.int(),
    set_by: actorText,
    set_at: instantText,
    end: z
      .object({
        cause: z
          .enum(["requested", "replaced", "declined", "refused"])
          .describe("`declined`: the charge; `refused`: its invoice could not be issued."),
        code: z.string().nullable().describe("Of the decline or refusal."),
        ended_by: z.string(),
        ended_at: instantText,
      })
      .nullable()
      .describe("Null while it is in force."),
  })
  .meta({ id: "TopUpRule" });

export const detailSchema = ruleSchema
  .extend({ purchases: z.array(purchaseSchema).describe("What it has bought, the newest first.") })
  .meta({ id: "TopUpRuleDetail" });

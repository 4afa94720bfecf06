import { z } from "zod";
import { accessLevels, finalActions } from "../../domain/lifecycle/index.ts";
import { key } from "./price-schemas.ts";

/** What a plan, or a policy of the deployment, says of dunning, as it is written in requests and answers. */

const delay = {
  days: z.int().optional().describe("Days of 24 hours; with `hours` it is their sum."),
  hours: z.int().optional(),
};

const schedule = z
  .strictObject({
    counted_from: z
      .enum(["first_failure", "previous_attempt"])
      .optional()
      .describe("What delays count from; the first failure when left out."),
    attempts: z.array(
      z.strictObject({
        ...delay,
        notice: z
          .string()
          .optional()
          .describe("The notice when this attempt fails, instead of the usual one."),
      }),
    ),
  })
  .meta({ id: "DunningAttempts" });

const rule = z.union([z.literal("await_payment_method"), schedule]).optional();
const notice = z.string().nullable().optional();

const refinements = {
  schedule: schedule.optional().describe("Instead of `retry_after_days`."),
  declines: z
    .strictObject({
      soft: rule,
      insufficient_funds: rule,
      processing_error: rule,
      hard: rule,
      authentication: rule,
    })
    .optional()
    .describe(
      "Kinds of decline with attempts of their own, or after which another payment method is waited for. Left out: `hard` and " +
        "`authentication` wait, all others follow the schedule.",
    ),
  give_up_after_days: z
    .int()
    .optional()
    .describe(
      "How long a payment method is waited for, from the first failure; until the last attempt when left out.",
    ),
  quiet_hours: z
    .strictObject({ from: z.string().meta({ example: "22:00" }), to: z.string().meta({ example: "08:00" }) })
    .optional()
    .describe("By the customer's clock: an attempt of the schedule that falls in them is made at their end."),
  time_of_day: z
    .strictObject({
      hour: z.int().optional().describe("0 to 23, by the customer's clock."),
      learnt: z
        .boolean()
        .optional()
        .describe("The hour at which most of the customer's payments succeeded, where there were any."),
    })
    .optional()
    .describe("When attempts that are counted in whole days are made."),
  card_limit: z
    .strictObject({
      attempts: z.int(),
      days: z.int(),
      never_after: z
        .array(z.string())
        .optional()
        .describe("Decline codes after which a card is not charged again."),
    })
    .optional()
    .describe(
      "Failed attempts with one card, over all invoices of its customer; 15 in 30 days when left out.",
    ),
  authentication: z
    .strictObject({ wait_hours: z.int(), remind_after_hours: z.int().optional() })
    .optional()
    .describe("How long a customer has to confirm a payment; 72 hours when left out."),
  access: z
    .array(z.strictObject({ ...delay, level: z.enum(accessLevels) }))
    .optional()
    .describe(
      "What stays usable, from the first failure on, whatever the attempts come to. Instead of `access_grace_days`.",
    ),
  notices: z
    .strictObject({
      attempt_failed: notice,
      payment_method_needed: notice,
      action_required: notice,
      action_reminder: notice,
      access_limited: notice,
      access_ended: notice,
      given_up: notice,
      recovered: notice,
    })
    .optional()
    .describe("The notice for each moment: null for none, the usual one when left out."),
};

const terms = {
  retry_after_days: z.array(z.int()).optional().describe("Days after the first failed attempt."),
  final_action: z.enum(finalActions).optional(),
  access_grace_days: z.int().optional(),
  ...refinements,
};

/** Of a plan. */
export const dunningTermsSchema = z
  .strictObject({
    ...terms,
    policy: key.optional().describe("One of `dunning_policies`, which then counts instead of all else here."),
  })
  .meta({ id: "DunningTerms" });

/** Of the deployment. */
export const dunningPolicySchema = z
  .strictObject({ key, name: z.string(), ...terms })
  .meta({ id: "DunningPolicy" });

/** What a question to the calculator may refine; its shape alone, the domain says what goes together. */
export const dunningRefinements = refinements;

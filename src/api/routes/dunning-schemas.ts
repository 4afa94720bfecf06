import { z } from "zod";
import { accessLevels, noticeMoments } from "../../domain/lifecycle/index.ts";
import { instantText } from "../wire.ts";
import { actorText } from "./decisions-wire.ts";
import { dunningState, paymentAttemptSchema } from "./invoice-schemas.ts";

/** Why something happens when it does. */
export const dunningReason = z
  .enum([
    "schedule",
    "time_of_day",
    "card_limit",
    "postponed",
    "quiet_hours",
    "new_payment_method",
    "asked_by_operator",
    "decline_needs_other_method",
    "card_may_not_be_charged",
    "no_attempt_left",
    "confirmation_asked",
    "disputed",
  ])
  .meta({ id: "DunningReason" });

export const accessSchema = z
  .object({
    level: z.enum(accessLevels),
    invoice: z.string().nullable().describe("The unpaid invoice that limits it; null when none does."),
    next: z
      .object({ at: instantText, level: z.enum(accessLevels) })
      .nullable()
      .describe("The next change, if nothing is paid until then."),
  })
  .describe("What the customer may use while invoices are not paid, by the steps of their dunning policies.")
  .meta({ id: "Access" });

export const dunningCommandSchema = z
  .object({
    command: z.enum(["retry", "postpone", "stop"]),
    until: instantText.nullable(),
    reason: z.string(),
    commanded_by: actorText,
    commanded_at: instantText,
  })
  .meta({ id: "DunningCommand" });

export const dunningDetailSchema = z
  .object({
    invoice: z.string(),
    state: dunningState,
    started_at: instantText,
    ended_at: instantText.nullable(),
    policy: z
      .string()
      .nullable()
      .describe("One of the deployment's policies; null for the plan's own terms."),
    final_action: z.enum(["cancel", "pause", "uncollectible", "keep_active"]),
    next: z
      .object({
        action: z
          .enum(["attempt", "give_up", "count_as_failed", "none"])
          .describe("`none` while a dispute is open."),
        at: instantText.nullable(),
        why: dunningReason,
      })
      .nullable()
      .describe(
        "What happens next by itself, and what decided that; null when it has ended, or has only begun.",
      ),
    access: accessSchema,
    attempts: z.array(paymentAttemptSchema),
    commands: z.array(dunningCommandSchema).describe("What operators decided, the oldest first."),
    notices: z
      .array(z.object({ at: instantText, moment: z.enum(noticeMoments), notice: z.string() }))
      .describe("What was to be said to the customer."),
  })
  .meta({ id: "DunningDetail" });

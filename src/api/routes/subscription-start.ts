import { z } from "zod";
import { type Instant, isoOf } from "../../domain/calendar/index.ts";
import { activationSeconds } from "../../domain/lifecycle/index.ts";
import type { StartChoices } from "../../workflows/messages.ts";
import { idInput, instantInput } from "../wire.ts";

const endAction = z.enum(["convert", "cancel", "pause"]);

/** What may be said about the beginning of a subscription, whatever its plan does. */
export const startInputs = {
  start_at: instantInput
    .optional()
    .describe(
      "In the past, at most 366 days ago: the periods since then are billed at once. Now when left out.",
    ),
  billed_through: instantInput
    .optional()
    .describe(
      "Of a subscription that comes from elsewhere: nothing before this instant is charged. Its periods count from `start_at`, and usage since then may be reported before or after.",
    ),
  first_charge: z
    .enum(["prorated", "none"])
    .default("prorated")
    .describe("`none`: the part of the period in course was paid for elsewhere, too."),
  trial: z.enum(["plan", "none"]).default("plan").describe("`none` leaves out the trial of the plan."),
  trial_without_payment_method: endAction
    .optional()
    .describe(
      "What follows the trial of a customer without a payment method; the same as with one when left out.",
    ),
  payment_method: z
    .enum(["required", "optional"])
    .default("optional")
    .describe("`required` refuses a customer who has none, also for a trial."),
  pay_within_seconds: z
    .int()
    .min(activationSeconds.min)
    .max(activationSeconds.max)
    .optional()
    .describe(
      "It begins when its first invoice is paid: until then it is `incomplete`, and after so many seconds `incomplete_expired`, for good, and the invoice void.",
    ),
  reactivates: idInput
    .optional()
    .describe("A subscription of the customer that has ended, and that this one goes on from."),
};

export const startRefusals = [
  "subscription_start_ahead",
  "subscription_start_too_early",
  "subscription_billed_through_invalid",
  "payment_method_missing",
  "activation_expiry_invalid",
  "subscription_not_canceled",
  "tax_missing",
  "trial_refused",
];

interface StartBody {
  readonly start_at?: Instant | undefined;
  readonly billed_through?: Instant | undefined;
  readonly first_charge: "prorated" | "none";
  readonly trial: "plan" | "none";
  readonly trial_without_payment_method?: z.output<typeof endAction> | undefined;
  readonly payment_method: "required" | "optional";
  readonly pay_within_seconds?: number | undefined;
  readonly reactivates?: string | undefined;
}

/** What is not as usual; undefined when all is. */
export function startOf(body: StartBody): StartChoices | undefined {
  const { start_at: startAt, billed_through: billedThrough, reactivates } = body;
  const { trial_without_payment_method: without, pay_within_seconds: payWithinSeconds } = body;
  const start: StartChoices = {
    ...(startAt === undefined ? {} : { startAt: isoOf(startAt) }),
    ...(billedThrough === undefined ? {} : { billedThrough: isoOf(billedThrough) }),
    ...(body.first_charge === "none" ? { firstCharge: "none" } : {}),
    ...(body.trial === "none" ? { trial: "none" } : {}),
    ...(without === undefined ? {} : { trialWithoutPaymentMethod: without }),
    ...(body.payment_method === "required" ? { paymentMethod: "required" } : {}),
    ...(payWithinSeconds === undefined ? {} : { payWithinSeconds }),
    ...(reactivates === undefined ? {} : { reactivates }),
  };
  return Object.keys(start).length === 0 ? undefined : start;
}

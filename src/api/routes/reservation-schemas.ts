import { z } from "zod";
import { paymentBuckets, spenderLevels } from "../../domain/entitlements/index.ts";
import { currencyText, decimalText, idInput, instantText, textInput } from "../wire.ts";

/** Reservations and receipts, as requests and answers write them. */

export const userInput = textInput(200).describe("Who asks, of the customer's users.");

const ttlInput = (usual: number) =>
  z
    .int()
    .min(1)
    .max(86_400)
    .default(usual)
    .describe("How long it may take, in seconds: after that what it holds goes back.");

const data = z.record(z.string(), z.unknown());

export const reservationInput = z.strictObject({
  id: idInput.describe("Of the request, yours: its reservation, receipt and usage event have it for ever."),
  customer: idInput,
  user: userInput.optional(),
  purpose: textInput(64).optional().describe("What it is for, such as `background`; receipts say it."),
  event: z
    .strictObject({ type: textInput(200), data: data.describe("The most that it may use.") })
    .describe("The usage event that settling will write, at its worst."),
  ttl_seconds: ttlInput(300),
});

export const settlementInput = z.strictObject({
  outcome: z
    .enum(["completed", "canceled", "failed"])
    .default("completed")
    .describe("`canceled` costs what it has used; `failed` costs nothing, whatever it used."),
  data: data.default({}).describe("What it used: the data of its usage event."),
});

export const extensionInput = z.strictObject({ ttl_seconds: ttlInput(300) });

const chargeSchema = z
  .object({
    subscription: z.string(),
    plan: z.string(),
    plan_version: z.int(),
    price: z.string(),
    meter: z.string(),
    quantity: decimalText.describe("In the meter's unit."),
    amount_minor: decimalText.describe("Exact, not rounded to minor units."),
  })
  .meta({ id: "RequestCharge" });

const paidFromSchema = z.array(
  z.object({
    bucket: z.enum(paymentBuckets),
    credit_grant: z.string().nullable().describe("Null: money, on the next invoice."),
    amount_minor: decimalText,
  }),
);

const deniedBySchema = z
  .object({
    reason: z.enum(["cap_reached", "access_ended", "access_limited"]).describe("Stable: branch on this."),
    level: z.enum(spenderLevels).nullable().describe("A `pool` is the customer who pays for this one."),
    holder: z.string().nullable().describe("Whose cap it is: the user, the team, or the customer."),
    cap: z.string().nullable(),
    limit_minor: decimalText.nullable(),
    spent_minor: decimalText.nullable(),
    held_minor: decimalText.nullable().describe("By requests that are under way."),
    left_minor: decimalText.nullable(),
    asked_minor: decimalText,
    resets_at: instantText.nullable().describe("When the cap's window begins anew; null when it never does."),
  })
  .nullable()
  .describe("What denied it. Of several caps the one that holds longest.");

export const receiptSchema = z
  .object({
    id: z.string().describe("Of the request."),
    customer: z.string(),
    user: z.string().nullable(),
    purpose: z.string().nullable(),
    outcome: z.enum(["completed", "canceled", "failed", "released"]),
    late: z.boolean().describe("It had expired before it was settled, and was booked all the same."),
    used: z.record(z.string(), z.unknown()),
    charges: z.array(chargeSchema),
    currency: currencyText,
    cost_minor: decimalText.describe("Exact, before discounts and minimums, which are of whole periods."),
    paid_from: paidFromSchema.describe("What paid for it, in that order: together its cost."),
    held_minor: decimalText.describe("What was set aside for it."),
    used_at: instantText.describe("When it was reserved: its prices are those of then."),
    settled_at: instantText,
  })
  .meta({ id: "Receipt" });

export const reservationSchema = z
  .object({
    id: z.string(),
    customer: z.string(),
    user: z.string().nullable(),
    granted: z.boolean(),
    status: z.enum(["denied", "open", "expired", "settled"]),
    currency: currencyText,
    held_minor: decimalText.describe("What it may cost at most: set aside while it is open."),
    charges: z.array(chargeSchema).describe("That, price by price, with the version of the plan."),
    paid_from: paidFromSchema.describe(
      "Where it is set aside while the reservation is open; what is on demand is held by caps alone.",
    ),
    placed_at: instantText.nullable(),
    expires_at: instantText.nullable(),
    denied_by: deniedBySchema,
    receipt: receiptSchema.nullable(),
  })
  .meta({ id: "Reservation" });

import { z } from "zod";
import { currencyText, decimalText, instantText, minorText } from "../wire.ts";
import { disputeSchema } from "./disputes.ts";
import { entrySchema } from "./entries.ts";
import { lineFields } from "./line-fields.ts";
import { refundSchema } from "./refund-schemas.ts";

export const invoiceStatus = z.enum(["open", "paid", "void", "uncollectible"]);

export const invoiceSchema = z
  .object({
    id: z.string(),
    number: z.string().describe("Without gaps in its series: of the customer, or of the seller and year."),
    kind: z.enum(["activation", "cycle", "threshold", "proration", "credit_purchase", "late_usage"]),
    status: invoiceStatus,
    customer: z.string(),
    subscription: z
      .string()
      .nullable()
      .describe("Null of credits that are bought, and where it is for several subscriptions: see its parts."),
    currency: currencyText,
    period_start: instantText.nullable().describe("Of several parts that of the one that begins first."),
    period_end: instantText.nullable(),
    subtotal_minor: minorText.describe("The sum of the lines, tax not among them."),
    tax_minor: minorText.describe("The sum of the lines of the kind `tax`: as somebody outside reckoned it."),
    credits_applied_minor: minorText.describe("Paid from credit grants."),
    balance_applied_minor: minorText.describe("Paid from, or put on, the customer's balance."),
    total_minor: minorText.describe("`subtotal_minor` and `tax_minor`, less the two amounts above."),
    amount_paid_minor: minorText,
    credited_minor: minorText.describe(
      "Taken off by credit notes before it was paid: it is not due any more.",
    ),
    issued_at: instantText,
    usage_complete_until: instantText
      .nullable()
      .describe(
        "Of the invoice that closes a period: up to when its usage was complete when it was rated; `period_end` when nothing was " +
          "missing. What came later is on a later invoice.",
      ),
    usage_known_by: z
      .enum(["none", "reported", "estimated"])
      .nullable()
      .describe(
        "By what its sources said, by how late their events used to be, or, without sources, by nothing.",
      ),
    usage_held_back_by: z
      .string()
      .nullable()
      .describe("The source that was behind; null when usage was complete."),
    paid_at: instantText.nullable(),
    stripe_invoice: z.string().nullable(),
    hosted_invoice_url: z.string().nullable(),
    replaces: z.string().nullable().describe("The void invoice that it bills anew."),
  })
  .meta({ id: "Invoice" });

export const invoiceLineSchema = z
  .object({
    line: z.int(),
    part: z.int().describe("Of which part of the invoice it is."),
    ...lineFields,
    product: lineFields.product.nullable(),
    exact_minor: decimalText.describe("Before rounding to the minor unit."),
    detail: z
      .record(z.string(), z.unknown())
      .describe("How the amount came about: tiers, included quantity, shares."),
  })
  .meta({ id: "InvoiceLine" });

export const invoicePartSchema = z
  .object({
    part: z.int(),
    subscription: z.string().nullable(),
    period_start: instantText.nullable(),
    period_end: instantText.nullable(),
    usage_complete_until: instantText.nullable(),
    usage_known_by: z.enum(["none", "reported", "estimated"]).nullable(),
    usage_held_back_by: z.string().nullable(),
  })
  .meta({ id: "InvoicePart" });

const paymentSchema = z
  .object({
    stripe_payment_intent: z.string(),
    stripe_charge: z.string().nullable(),
    amount_minor: minorText,
    received_at: instantText,
  })
  .meta({ id: "Payment" });

export const paymentAttemptSchema = z
  .object({
    attempt: z.int(),
    cause: z.enum(["first", "schedule", "new_payment_method", "operator"]),
    outcome: z
      .enum(["paid", "declined", "requires_action", "withheld"])
      .describe("`withheld`: not sent, because of what networks allow of the card."),
    decline_code: z.string().nullable(),
    attempted_at: instantText,
  })
  .meta({ id: "PaymentAttempt" });

export const dunningState = z.enum([
  "retrying",
  "awaiting_payment_method",
  "awaiting_action",
  "disputed",
  "recovered",
  "exhausted",
  "closed",
  "stopped",
]);

const dunningSchema = z
  .object({
    state: dunningState,
    attempts: z.int(),
    started_at: instantText,
    next_attempt_at: instantText.nullable(),
    ended_at: instantText.nullable(),
  })
  .meta({ id: "Dunning" });

export const invoiceDetailSchema = invoiceSchema
  .extend({
    parts: z
      .array(invoicePartSchema)
      .describe(
        "What it is for, subscription by subscription: one, unless subscriptions are invoiced together.",
      ),
    lines: z.array(invoiceLineSchema),
    payments: z.array(paymentSchema),
    payment_attempts: z.array(paymentAttemptSchema),
    refunds: z.array(refundSchema),
    disputes: z.array(disputeSchema).describe("What banks did, or asked, about its payments."),
    dunning: dunningSchema.nullable().describe("What followed a failed payment; null when none failed."),
    entries: z.array(entrySchema),
  })
  .meta({ id: "InvoiceDetail" });

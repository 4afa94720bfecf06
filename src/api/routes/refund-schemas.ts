import { z } from "zod";
import type { StoredRefund } from "../../db/billing/refunds.ts";
import { isoOf } from "../../domain/calendar/index.ts";
import { currencyText, instantText, minorText } from "../wire.ts";

export const refundStatus = z
  .enum(["requested", "pending", "requires_action", "succeeded", "failed", "canceled"])
  .describe(
    "`requested`: not at Stripe yet. `failed`, also after it had succeeded: the money is in the customer's balance.",
  );

export const refundSchema = z
  .object({
    id: z.string(),
    status: refundStatus,
    invoice: z.string(),
    customer: z.string(),
    credit_note: z.string().describe("The credit note that says why, by whom and for which lines."),
    currency: currencyText,
    amount_minor: minorText,
    stripe_payment_intent: z.string().describe("The payment that it returns."),
    stripe_refund: z.string().nullable(),
    failure_code: z.string().nullable().describe("Why it failed, in Stripe's words."),
    requested_at: instantText,
  })
  .meta({ id: "Refund" });

export function refundAnswer(refund: StoredRefund): z.infer<typeof refundSchema> {
  return {
    id: refund.id,
    status: refund.state,
    invoice: refund.invoiceId,
    customer: refund.customerId,
    credit_note: refund.creditNoteId,
    currency: refund.currency,
    amount_minor: refund.amountMinor.toString(),
    stripe_payment_intent: refund.stripePaymentIntentId,
    stripe_refund: refund.stripeRefundId,
    failure_code: refund.failureCode,
    requested_at: isoOf(refund.requestedAt),
  };
}

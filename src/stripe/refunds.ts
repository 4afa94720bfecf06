import type { Stripe } from "stripe";
import type { Instant } from "../domain/calendar/index.ts";
import { isoMinorOf, stripeAmount } from "./amounts.ts";
import { type OperationLog, recordedCall } from "./operations.ts";

export type RefundToSend = {
  readonly refundId: string;
  readonly invoiceId: string;
  readonly stripePaymentIntentId: string;
  /** Whole minor units of ours; an amount that Stripe counts exactly. */
  readonly amountMinor: string;
  readonly currency: string;
  readonly at: Instant;
};

/** A refund as Stripe holds it now. */
export type RefundAtStripe = {
  readonly stripeRefundId: string;
  /** `pending`, `requires_action`, `succeeded`, `failed` or `canceled`; what else Stripe may say one day stays as it is. */
  readonly status: string;
  readonly failureReason: string | null;
  readonly stripePaymentIntentId: string | null;
  /** Our id, when the refund is one of ours. */
  readonly refundId: string | null;
  readonly amountMinor: string;
};

/** Sends money back of a payment, once, however often it is called; looked for when nobody knows what became of the call. */
export async function sendRefund(
  stripe: Stripe,
  log: OperationLog,
  refund: RefundToSend,
): Promise<{ stripeRefundId: string }> {
  const { refundId, invoiceId, stripePaymentIntentId, amountMinor, currency, at } = refund;
  const body: Stripe.RefundCreateParams = {
    payment_intent: stripePaymentIntentId,
    amount: stripeAmount(amountMinor, currency),
    reason: "requested_by_customer",
    metadata: { reckoner_refund: refundId, reckoner_invoice: invoiceId },
  };
  return await recordedCall({
    log,
    key: refundKey(refundId),
    operation: "POST /v1/refunds",
    body,
    at,
    send: async (options) => ({ stripeRefundId: (await stripe.refunds.create(body, options)).id }),
    find: async () => {
      const list = stripe.refunds.list({ payment_intent: stripePaymentIntentId, limit: 100 });
      for await (const found of list) {
        if (found.metadata?.reckoner_refund === refundId) return { stripeRefundId: found.id };
      }
      return undefined;
    },
  });
}

/** Under which a refund's call is recorded, before it is made. */
const refundKey = (refundId: string) => `refund/${refundId}`;

export async function readRefund(stripe: Stripe, stripeRefundId: string): Promise<RefundAtStripe> {
  const refund = await stripe.refunds.retrieve(stripeRefundId);
  const { payment_intent: intent, metadata } = refund;
  return {
    stripeRefundId: refund.id,
    status: refund.status ?? "pending",
    failureReason: refund.failure_reason ?? null,
    stripePaymentIntentId: typeof intent === "object" ? (intent?.id ?? null) : intent,
    refundId: metadata?.reckoner_refund ?? null,
    amountMinor: isoMinorOf(refund.amount, refund.currency),
  };
}

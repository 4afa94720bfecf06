import type { Stripe } from "stripe";
import { type Instant, instantOfEpochMs } from "../domain/calendar/index.ts";
import { isoMinorOf } from "./amounts.ts";

/** A dispute or an inquiry as Stripe holds it now, whatever the order was in which events told of it. */
export type DisputeAtStripe = {
  readonly stripeDisputeId: string;
  /** In Stripe's words: `needs_response`, `warning_closed`, `won` …; there may be more one day. */
  readonly status: string;
  readonly reason: string;
  readonly currency: string;
  /** Whole minor units of ours. */
  readonly amountMinor: string;
  readonly stripePaymentIntentId: string | null;
  /** The mirror of the invoice that the payment was for; null when it was for none. */
  readonly stripeInvoiceId: string | null;
  readonly openedAt: Instant;
  readonly answerBy: Instant | null;
  /** What it has moved of our balance, the oldest first. */
  readonly movements: readonly DisputeMovement[];
};

/** As Stripe counts: amounts are signed, a fee is positive where Stripe takes it. */
export type DisputeMovement = {
  readonly balanceTransactionId: string;
  readonly currency: string;
  readonly amount: bigint;
  readonly fee: bigint;
};

export async function readDispute(stripe: Stripe, stripeDisputeId: string): Promise<DisputeAtStripe> {
  const dispute = await stripe.disputes.retrieve(stripeDisputeId);
  const intent = dispute.payment_intent;
  const stripePaymentIntentId = intent !== null && typeof intent === "object" ? intent.id : intent;
  const dueBy = dispute.evidence_details.due_by;
  return {
    stripeDisputeId: dispute.id,
    status: dispute.status,
    reason: dispute.reason,
    currency: dispute.currency,
    amountMinor: isoMinorOf(dispute.amount, dispute.currency),
    stripePaymentIntentId,
    stripeInvoiceId: stripePaymentIntentId && (await invoicePaidBy(stripe, stripePaymentIntentId)),
    openedAt: instantOfEpochMs(dispute.created * 1000),
    answerBy: dueBy === null ? null : instantOfEpochMs(dueBy * 1000),
    movements: dispute.balance_transactions
      .toSorted((a, b) => a.created - b.created)
      .map(({ id, currency, amount, fee }) => ({
        balanceTransactionId: id,
        currency,
        amount: BigInt(amount),
        fee: BigInt(fee),
      })),
  };
}

/** The mirrored invoice that a charge paid; null when it paid none. */
export async function invoiceOfCharge(stripe: Stripe, stripeChargeId: string): Promise<string | null> {
  const { payment_intent: intent } = await stripe.charges.retrieve(stripeChargeId);
  if (intent === null) return null;
  return await invoicePaidBy(stripe, typeof intent === "string" ? intent : intent.id);
}

/** The invoice that a payment intent paid: Stripe links them by invoice payments alone. */
async function invoicePaidBy(stripe: Stripe, paymentIntentId: string): Promise<string | null> {
  const payment = { type: "payment_intent", payment_intent: paymentIntentId } as const;
  const { data } = await stripe.invoicePayments.list({ payment, limit: 1 });
  const invoice = data[0]?.invoice;
  if (invoice === undefined) return null;
  return typeof invoice === "string" ? invoice : invoice.id;
}

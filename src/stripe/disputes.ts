import type { Stripe } from "stripe";
import { type Instant, instantOfEpochMs } from "../domain/calendar/index.ts";
import { isoMinorOf } from "./amounts.ts";
import { idOf } from "./expanded-id.ts";

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
  const stripePaymentIntentId = intent === null ? null : idOf(intent);
  const dueBy = dispute.evidence_details.due_by;
  return {
    stripeDisputeId: dispute.id,
    status: dispute.status,
    reason: dispute.reason,
    currency: dispute.currency,
    amountMinor: isoMinorOf(dispute.amount, dispute.currency),
    stripePaymentIntentId,
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

/** What a payment was for: an invoice of ours by itself, or the mirror of one; null: nothing that could be ours. */
export type PaidFor =
  | { readonly by: "payment_intent"; readonly invoiceId: string }
  | { readonly by: "invoice"; readonly stripeInvoiceId: string };

export async function paidByCharge(stripe: Stripe, stripeChargeId: string): Promise<PaidForIntent | null> {
  const { payment_intent: intent } = await stripe.charges.retrieve(stripeChargeId, {
    expand: ["payment_intent"],
  });
  if (intent === null || typeof intent === "string") return null;
  const paidFor = await whatWasPaid(stripe, intent);
  return paidFor && { ...paidFor, stripePaymentIntentId: intent.id };
}

export type PaidForIntent = PaidFor & { readonly stripePaymentIntentId: string };

export async function paidByIntent(stripe: Stripe, paymentIntentId: string): Promise<PaidFor | null> {
  return await whatWasPaid(stripe, await stripe.paymentIntents.retrieve(paymentIntentId));
}

/** Our own intents say it; others Stripe links to an invoice by invoice payments alone. */
async function whatWasPaid(stripe: Stripe, intent: Stripe.PaymentIntent): Promise<PaidFor | null> {
  const { reckoner_invoice: invoiceId } = intent.metadata;
  if (invoiceId !== undefined) return { by: "payment_intent", invoiceId };
  const payment = { type: "payment_intent", payment_intent: intent.id } as const;
  const { data } = await stripe.invoicePayments.list({ payment, limit: 1 });
  const invoice = data[0]?.invoice;
  if (invoice === undefined) return null;
  return { by: "invoice", stripeInvoiceId: idOf(invoice) };
}

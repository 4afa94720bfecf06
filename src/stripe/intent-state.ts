import type { Stripe } from "stripe";
import { isoMinorOf } from "./amounts.ts";
import { settlementOf } from "./balance-transaction.ts";
import { idOf } from "./expanded-id.ts";
import { declineOf, type PaymentOutcome } from "./invoice-state.ts";

/** An intent with everything a decision about it needs, and what reached our balance of it: one call instead of two. */
export const intentDetails = ["latest_charge.balance_transaction"];

/** The state of a payment intent of ours, for webhooks and the poller as well as after an attempt. */
export type StripeIntentState =
  | PaymentOutcome
  /** Not tried yet, or under way at a bank. */
  | { readonly status: "open" }
  | { readonly status: "canceled" };

/** An intent as Stripe holds it now, and the invoice of ours that it is for; null: it is for none. */
export type IntentAtStripe = {
  readonly state: StripeIntentState;
  readonly invoiceId: string | null;
};

export async function readIntent(stripe: Stripe, intentId: string): Promise<Stripe.PaymentIntent> {
  return await stripe.paymentIntents.retrieve(intentId, { expand: intentDetails });
}

export async function retrieveIntent(stripe: Stripe, intentId: string): Promise<IntentAtStripe> {
  const intent = await readIntent(stripe, intentId);
  return { state: intentState(intent), invoiceId: intent.metadata.reckoner_invoice ?? null };
}

/** What an intent's state is, for one that was read with {@link intentDetails}. */
export function intentState(intent: Stripe.PaymentIntent): StripeIntentState {
  switch (intent.status) {
    case "succeeded":
      return paidState(intent);
    case "requires_action":
      return {
        status: "requires_action",
        stripePaymentIntentId: intent.id,
        hostedInvoiceUrl: intent.next_action?.redirect_to_url?.url ?? "",
      };
    case "canceled":
      return { status: "canceled" };
    default:
      return declineOf(intent) ?? { status: "open" };
  }
}

function paidState(intent: Stripe.PaymentIntent): StripeIntentState {
  const charge = intent.latest_charge;
  if (charge === null) throw new Error(`Stripe payment intent ${intent.id} succeeded without a charge`);
  return {
    status: "paid",
    stripePaymentIntentId: intent.id,
    stripeChargeId: idOf(charge),
    amountMinor: isoMinorOf(intent.amount_received, intent.currency),
    ...(typeof charge === "string" ? {} : { settlement: settlementOf(charge) }),
  };
}

import type { Stripe } from "stripe";
import type { DeclineClass } from "../domain/lifecycle/index.ts";
import { isoMinorOf } from "./amounts.ts";
import type { ChargeSettlement } from "./balance-transaction.ts";
import { classifyDecline } from "./declines.ts";
import { idOf } from "./expanded-id.ts";

/** How an attempt to collect an invoice ended, decided from what Stripe holds afterwards. */
export type PaymentOutcome =
  | {
      readonly status: "paid";
      readonly stripePaymentIntentId: string;
      readonly stripeChargeId: string;
      /** What was collected, in whole minor units. */
      readonly amountMinor: string;
      /** How it reached our balance; null: not yet. Left out: nobody has looked. */
      readonly settlement?: ChargeSettlement | null;
    }
  | {
      readonly status: "declined";
      readonly declineCode: string;
      readonly adviceCode?: string;
      readonly declineClass: DeclineClass;
      readonly stripePaymentIntentId?: string;
    }
  | {
      readonly status: "requires_action";
      readonly stripePaymentIntentId: string;
      /** Where the customer confirms it. */
      readonly hostedInvoiceUrl: string;
    };

/** The state of an invoice at Stripe, for webhooks and the poller as well as after an attempt. */
export type StripeInvoiceState =
  | PaymentOutcome
  /** No attempt has been made on it yet. */
  | { readonly status: "draft" | "open" }
  | { readonly status: "void" }
  | { readonly status: "uncollectible" }
  /** Closed without a charge: nothing was due, paid out of band, or below Stripe's smallest charge. */
  | { readonly status: "paid_without_charge"; readonly totalMinor: string };

/** Reads an invoice with its payment and decides what state it is in. */
export async function readInvoiceState(stripe: Stripe, stripeInvoiceId: string): Promise<StripeInvoiceState> {
  return invoiceState(await readInvoice(stripe, stripeInvoiceId));
}

/** An invoice with everything a decision about it needs: its payments and its customer. */
export async function readInvoice(stripe: Stripe, stripeInvoiceId: string): Promise<Stripe.Invoice> {
  return await stripe.invoices.retrieve(stripeInvoiceId, { expand: [...paymentDetails, "customer"] });
}

/** What has to come with an invoice to say how it was paid. Stripe expands four levels, and these are four. */
export const paymentDetails = ["payments.data.payment.payment_intent"];

/** Whether Stripe would know what to charge: a card on the invoice, or the customer's default. */
export function hasPaymentMethod({ default_payment_method: own, customer }: Stripe.Invoice): boolean {
  if (own !== null) return true;
  if (customer === null || typeof customer === "string" || customer.deleted) return false;
  return customer.invoice_settings.default_payment_method !== null;
}

/** The decision of {@link readInvoiceState}, for an invoice that {@link readInvoice} gave. */
export function invoiceState(invoice: Stripe.Invoice): StripeInvoiceState {
  const intents = intentsOf(invoice);
  switch (invoice.status) {
    case "paid":
      return paidState(invoice, intents);
    case "draft":
      return { status: "draft" };
    case "void":
      return { status: "void" };
    case "uncollectible":
      return { status: "uncollectible" };
    case "open":
      return openState(invoice, intents.at(0));
    default:
      throw new Error(`Stripe invoice ${invoice.id} has the unknown status ${invoice.status}`);
  }
}

function intentsOf(invoice: Stripe.Invoice): Stripe.PaymentIntent[] {
  const payments = invoice.payments?.data ?? [];
  return payments
    .toSorted((a, b) => Number(b.is_default) - Number(a.is_default))
    .map(({ payment }) => payment.payment_intent)
    .filter((intent) => typeof intent === "object");
}

function paidState(invoice: Stripe.Invoice, intents: readonly Stripe.PaymentIntent[]): StripeInvoiceState {
  const intent = intents.find(({ status }) => status === "succeeded");
  const charge = intent?.latest_charge;
  if (!intent || !charge)
    return { status: "paid_without_charge", totalMinor: isoMinorOf(invoice.total, invoice.currency) };
  return {
    status: "paid",
    stripePaymentIntentId: intent.id,
    stripeChargeId: idOf(charge),
    amountMinor: isoMinorOf(intent.amount_received, intent.currency),
  };
}

function openState(invoice: Stripe.Invoice, intent: Stripe.PaymentIntent | undefined): StripeInvoiceState {
  if (intent === undefined) return { status: "open" };
  if (intent.status === "requires_action") {
    const hostedInvoiceUrl = invoice.hosted_invoice_url ?? "";
    return { status: "requires_action", stripePaymentIntentId: intent.id, hostedInvoiceUrl };
  }
  return declineOf(intent) ?? { status: "open" };
}

/** How the last attempt on an intent was declined; undefined when none was. */
export function declineOf(
  intent: Stripe.PaymentIntent,
): Extract<PaymentOutcome, { status: "declined" }> | undefined {
  const error = intent.last_payment_error;
  if (error === null || error === undefined) return undefined;
  const decline = classifyDecline(error.decline_code || error.code || "unknown", error.advice_code);
  return {
    status: "declined",
    declineCode: decline.code,
    ...(decline.adviceCode !== undefined && { adviceCode: decline.adviceCode }),
    declineClass: decline.class,
    stripePaymentIntentId: intent.id,
  };
}

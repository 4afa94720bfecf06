import type { Stripe } from "stripe";
import { type ChargeSettlement, readSettlement } from "./balance-transaction.ts";
import {
  type AttachedCard,
  attachPaymentMethod,
  type CustomerToMirror,
  ensureCustomer,
  type PaymentMethodToAttach,
} from "./customer-rail.ts";
import { classifyStripeError, isStripeError, StripeCallError } from "./errors.ts";
import { type InvoiceToMirror, type MirroredInvoice, mirrorInvoice } from "./invoice-mirror.ts";
import {
  type InvoiceToPay,
  type MirroredInvoiceRef,
  markUncollectible,
  payInvoice,
  voidInvoice,
} from "./invoice-payment.ts";
import { type PaymentOutcome, readInvoiceState, type StripeInvoiceState } from "./invoice-state.ts";
import type { OperationLog } from "./operations.ts";

/**
 * Everything Reckoner does at Stripe. Each write is one permanent operation under a key made from its business
 * fact, so that calling again continues rather than repeats. Failures are {@link StripeCallError}s, whose
 * `failure.kind` says what may be done next, or BillingErrors with a stable code.
 */
export interface StripeRail {
  ensureCustomer(customer: CustomerToMirror): Promise<{ stripeCustomerId: string }>;
  attachPaymentMethod(input: PaymentMethodToAttach): Promise<AttachedCard>;
  mirrorInvoice(invoice: InvoiceToMirror): Promise<MirroredInvoice>;
  payInvoice(input: InvoiceToPay): Promise<PaymentOutcome>;
  voidInvoice(input: MirroredInvoiceRef): Promise<void>;
  markUncollectible(input: MirroredInvoiceRef): Promise<void>;
  /** A read: for webhooks and the poller. */
  retrieveInvoiceState(stripeInvoiceId: string): Promise<StripeInvoiceState>;
  /** A read: how a charge reached the Stripe balance; undefined while it has not. */
  retrieveSettlement(stripeChargeId: string): Promise<ChargeSettlement | undefined>;
}

/** The rail over one Stripe account and one operation log. */
export function stripeRail(stripe: Stripe, log: OperationLog): StripeRail {
  return {
    ensureCustomer: (customer) => classified("ensureCustomer", ensureCustomer(stripe, log, customer)),
    attachPaymentMethod: (input) =>
      classified("attachPaymentMethod", attachPaymentMethod(stripe, log, input)),
    mirrorInvoice: (invoice) => classified("mirrorInvoice", mirrorInvoice(stripe, log, invoice)),
    payInvoice: (input) => classified("payInvoice", payInvoice(stripe, log, input)),
    voidInvoice: (input) => classified("voidInvoice", voidInvoice(stripe, log, input)),
    markUncollectible: (input) => classified("markUncollectible", markUncollectible(stripe, log, input)),
    retrieveInvoiceState: (id) => classified("retrieveInvoiceState", readInvoiceState(stripe, id)),
    retrieveSettlement: (id) => classified("retrieveSettlement", readSettlement(stripe, id)),
  };
}

/** Reads fail with the SDK's errors; the caller gets the same classification as for writes. */
async function classified<Result>(name: string, work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    if (!isStripeError(error)) throw error;
    throw new StripeCallError(name, classifyStripeError(error), error);
  }
}

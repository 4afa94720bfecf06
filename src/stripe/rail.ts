import type { Stripe } from "stripe";
import { type ChargeSettlement, readSettlement } from "./balance-transaction.ts";
import {
  type BalanceTransactionPage,
  type BalanceTransactionQuery,
  readBalanceTransactions,
  readStripeBalance,
} from "./balance-transactions.ts";
import {
  type AttachedCard,
  attachPaymentMethod,
  type CustomerToMirror,
  ensureCustomer,
  type PaymentMethodToAttach,
} from "./customer-rail.ts";
import { type DisputeAtStripe, invoiceOfCharge, readDispute } from "./disputes.ts";
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
import { type PayoutAtStripe, readPayout } from "./payouts.ts";
import { type RefundAtStripe, type RefundToSend, readRefund, sendRefund } from "./refunds.ts";

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
  /** Sends money of a payment back. What Stripe refuses for good is thrown as `invalid_request`. */
  sendRefund(refund: RefundToSend): Promise<{ stripeRefundId: string }>;
  retrieveRefund(stripeRefundId: string): Promise<RefundAtStripe>;
  retrieveDispute(stripeDisputeId: string): Promise<DisputeAtStripe>;
  retrievePayout(payoutId: string): Promise<PayoutAtStripe>;
  /** The mirrored invoice that a charge paid; null when it paid none. */
  retrieveInvoiceOfCharge(stripeChargeId: string): Promise<string | null>;
  /** A page of all that moved Stripe's balance, the newest first. */
  listBalanceTransactions(query: BalanceTransactionQuery): Promise<BalanceTransactionPage>;
  /** What Stripe holds for us, per currency, in Stripe's minor units. */
  retrieveBalance(): Promise<ReadonlyMap<string, bigint>>;
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
    sendRefund: (refund) => classified("sendRefund", sendRefund(stripe, log, refund)),
    retrieveRefund: (id) => classified("retrieveRefund", readRefund(stripe, id)),
    retrieveDispute: (id) => classified("retrieveDispute", readDispute(stripe, id)),
    retrievePayout: (id) => classified("retrievePayout", readPayout(stripe, id)),
    retrieveInvoiceOfCharge: (id) => classified("retrieveInvoiceOfCharge", invoiceOfCharge(stripe, id)),
    listBalanceTransactions: (query) =>
      classified("listBalanceTransactions", readBalanceTransactions(stripe, query)),
    retrieveBalance: () => classified("retrieveBalance", readStripeBalance(stripe)),
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

import type { Stripe } from "stripe";
import { type ChargeSettlement, readSettlement } from "./balance-transaction.ts";
import {
  type BalanceTransactionPage,
  type BalanceTransactionQuery,
  readBalanceTransactions,
  readStripeBalance,
} from "./balance-transactions.ts";
import type { Collecting } from "./collecting.ts";
import {
  type CreditNoteAtStripe,
  type CreditNoteToMirror,
  mirrorCreditNote,
  readCreditNote,
} from "./credit-notes.ts";
import {
  type AttachedCard,
  attachPaymentMethod,
  type CustomerToMirror,
  ensureCustomer,
  type PaymentMethodToAttach,
} from "./customer-rail.ts";
import {
  type DisputeAtStripe,
  type PaidFor,
  type PaidForIntent,
  paidByCharge,
  paidByIntent,
  readDispute,
} from "./disputes.ts";
import { classified, StripeCallError } from "./errors.ts";
import { type EventPage, type EventQuery, readEvents } from "./events.ts";
import {
  type ChosenCard,
  chooseSetupCard,
  openPortalPage,
  openSetupPage,
  type PageToOpen,
  readChosenCard,
  readSetup,
  type SetupAtStripe,
  type SetupPage,
  type SetupPageToOpen,
} from "./hosted-pages.ts";
import { cancelIntent, type IntentRef, type IntentToPay, payIntent } from "./intent-payment.ts";
import { type IntentAtStripe, retrieveIntent } from "./intent-state.ts";
import { type InvoiceToMirror, type MirroredInvoice, mirrorInvoice } from "./invoice-mirror.ts";
import {
  type InvoiceToPay,
  type MirroredInvoiceRef,
  markUncollectible,
  payInvoice,
  voidInvoice,
} from "./invoice-payment.ts";
import { type PaymentOutcome, readInvoiceState, type StripeInvoiceState } from "./invoice-state.ts";
import { type StripeMeters, stripeMeters } from "./meters.ts";
import type { OperationLog } from "./operations.ts";
import { type PayoutAtStripe, readPayout } from "./payouts.ts";
import { type RefundAtStripe, type RefundToSend, readRefund, sendRefund } from "./refunds.ts";

/**
 * Everything Reckoner does at Stripe. Each write is one permanent operation under a key made from its business
 * fact, so that calling again continues rather than repeats. Failures are {@link StripeCallError}s, whose
 * `failure.kind` says what may be done next, or BillingErrors with a stable code.
 */
export interface StripeRail {
  /** How invoices are collected that Stripe knows nothing of yet; one that was begun goes on as it was. */
  readonly collecting: Collecting;
  readonly meters: StripeMeters;
  ensureCustomer(customer: CustomerToMirror): Promise<{ stripeCustomerId: string }>;
  attachPaymentMethod(input: PaymentMethodToAttach): Promise<AttachedCard>;
  openSetupPage(page: SetupPageToOpen): Promise<SetupPage>;
  openPortalPage(page: PageToOpen): Promise<{ readonly url: string }>;
  retrieveSetup(setupIntentId: string): Promise<SetupAtStripe>;
  /** Makes a card that was given on a page the one that is charged, unless a newer one was chosen since. */
  chooseSetupCard(setup: Parameters<typeof chooseSetupCard>[2]): Promise<void>;
  retrieveChosenCard(stripeCustomerId: string): Promise<ChosenCard>;
  mirrorInvoice(invoice: InvoiceToMirror): Promise<MirroredInvoice>;
  payInvoice(input: InvoiceToPay): Promise<PaymentOutcome>;
  /** Charges an invoice that has no mirror. */
  payIntent(input: IntentToPay): Promise<PaymentOutcome>;
  cancelIntent(input: IntentRef): Promise<void>;
  voidInvoice(input: MirroredInvoiceRef): Promise<void>;
  markUncollectible(input: MirroredInvoiceRef): Promise<void>;
  /** A read: for webhooks and the poller. */
  retrieveInvoiceState(stripeInvoiceId: string): Promise<StripeInvoiceState>;
  /** The same of an intent of ours. */
  retrieveIntent(stripePaymentIntentId: string): Promise<IntentAtStripe>;
  /** Says a credit note of ours on the copy of its invoice; null for its id where Stripe counts too coarsely to be told. */
  mirrorCreditNote(note: CreditNoteToMirror): Promise<{ readonly stripeCreditNoteId: string | null }>;
  retrieveCreditNote(stripeCreditNoteId: string): Promise<CreditNoteAtStripe>;
  /** A read: how a charge reached the Stripe balance; undefined while it has not. */
  retrieveSettlement(stripeChargeId: string): Promise<ChargeSettlement | undefined>;
  /** Sends money of a payment back. What Stripe refuses for good is thrown as `invalid_request`. */
  sendRefund(refund: RefundToSend): Promise<{ stripeRefundId: string }>;
  retrieveRefund(stripeRefundId: string): Promise<RefundAtStripe>;
  retrieveDispute(stripeDisputeId: string): Promise<DisputeAtStripe>;
  retrievePayout(payoutId: string): Promise<PayoutAtStripe>;
  /** What a charge, or an intent, has paid; null when it is nothing that could be ours. */
  retrievePaidByCharge(stripeChargeId: string): Promise<PaidForIntent | null>;
  retrievePaidByIntent(stripePaymentIntentId: string): Promise<PaidFor | null>;
  /** A page of all that moved Stripe's balance, the newest first. */
  listBalanceTransactions(query: BalanceTransactionQuery): Promise<BalanceTransactionPage>;
  /** What a thin event is about, as a snapshot event would have brought it. */
  readObject(path: string): Promise<unknown>;
  /** A page of the events that something follows from, the newest first. */
  listEvents(query: EventQuery): Promise<EventPage>;
  /** What Stripe holds for us, per currency, in Stripe's minor units. */
  retrieveBalance(): Promise<ReadonlyMap<string, bigint>>;
}

/**
 * The rail over one Stripe account and one operation log.
 * @param openStream the SDK with the token of a session of Stripe's stream of meter events, where that is used
 */
export function stripeRail(
  stripe: Stripe,
  log: OperationLog,
  collecting: Collecting = { by: "invoice" },
  openStream: (token: string) => Stripe = () => stripe,
): StripeRail {
  return {
    collecting,
    meters: stripeMeters(stripe, log, openStream),
    ensureCustomer: (customer) => classified("ensureCustomer", ensureCustomer(stripe, log, customer)),
    attachPaymentMethod: (input) =>
      classified("attachPaymentMethod", attachPaymentMethod(stripe, log, input)),
    openSetupPage: (page) => classified("openSetupPage", openSetupPage(stripe, log, page)),
    openPortalPage: (page) => classified("openPortalPage", openPortalPage(stripe, log, page)),
    retrieveSetup: (id) => classified("retrieveSetup", readSetup(stripe, id)),
    chooseSetupCard: (setup) => classified("chooseSetupCard", chooseSetupCard(stripe, log, setup)),
    retrieveChosenCard: (id) => classified("retrieveChosenCard", readChosenCard(stripe, id)),
    mirrorInvoice: (invoice) => classified("mirrorInvoice", mirrorInvoice(stripe, log, invoice)),
    payInvoice: (input) => classified("payInvoice", payInvoice(stripe, log, input)),
    payIntent: (input) => classified("payIntent", payIntent(stripe, log, input)),
    cancelIntent: (input) => classified("cancelIntent", cancelIntent(stripe, log, input)),
    retrieveIntent: (id) => classified("retrieveIntent", retrieveIntent(stripe, id)),
    voidInvoice: (input) => classified("voidInvoice", voidInvoice(stripe, log, input)),
    markUncollectible: (input) => classified("markUncollectible", markUncollectible(stripe, log, input)),
    retrieveInvoiceState: (id) => classified("retrieveInvoiceState", readInvoiceState(stripe, id)),
    retrieveSettlement: (id) => classified("retrieveSettlement", readSettlement(stripe, id)),
    mirrorCreditNote: (note) => classified("mirrorCreditNote", mirrorCreditNote(stripe, log, note)),
    retrieveCreditNote: (id) => classified("retrieveCreditNote", readCreditNote(stripe, id)),
    sendRefund: (refund) => classified("sendRefund", sendRefund(stripe, log, refund)),
    retrieveRefund: (id) => classified("retrieveRefund", readRefund(stripe, id)),
    retrieveDispute: (id) => classified("retrieveDispute", readDispute(stripe, id)),
    retrievePayout: (id) => classified("retrievePayout", readPayout(stripe, id)),
    retrievePaidByCharge: (id) => classified("retrievePaidByCharge", paidByCharge(stripe, id)),
    retrievePaidByIntent: (id) => classified("retrievePaidByIntent", paidByIntent(stripe, id)),
    listBalanceTransactions: (query) =>
      classified("listBalanceTransactions", readBalanceTransactions(stripe, query)),
    readObject: (path) => classified("readObject", stripe.rawRequest("GET", path)),
    listEvents: (query) => classified("listEvents", readEvents(stripe, query)),
    retrieveBalance: () => classified("retrieveBalance", readStripeBalance(stripe)),
  };
}

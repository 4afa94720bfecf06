import { setStripeCustomer } from "../db/billing/customer-payment.ts";
import { findCustomer, type StoredCustomer } from "../db/billing/customers.ts";
import { findInvoice, linesOfInvoice, type StoredInvoice, updateInvoice } from "../db/billing/invoices.ts";
import { insertAttempt } from "../db/billing/payments.ts";
import { isBegun } from "../db/billing/stripe-operations.ts";
import { stopDeclinedTopUp } from "../db/billing/top-ups.ts";
import { inTransaction } from "../db/database.ts";
import type { AttemptCause, InvoiceStatus } from "../db/schema/billing.ts";
import { instant, latestOf } from "../domain/calendar/index.ts";
import { invariant } from "../domain/errors.ts";
import { attemptKey, StripeInvoiceStateError } from "../stripe/index.ts";
import { workflowIds } from "../workflows/messages.ts";
import { bookPaid, bookPayment, bookStanding, writeOff } from "./book-payment.ts";
import { type ChargeOutcome, chargeCard } from "./charge-card.ts";
import type { ActivityDependencies } from "./dependencies.ts";
import { sayDeclined } from "./dunning-notices.ts";
import { linkCopy } from "./link-copy.ts";
import { readInvoiceStatus } from "./read-invoice-status.ts";

export interface InvoiceAt {
  readonly invoiceId: string;
  readonly at: string;
}

export interface PayInput extends InvoiceAt {
  /** 1 for the first; counts every charge of this invoice. */
  readonly attempt: number;
  readonly cause: AttemptCause;
}

export interface CollectInput extends InvoiceAt {
  /** The run that does it, which is then known as the invoice's; null leaves it as nobody's. */
  readonly collectedBy: string | null;
}

/**
 * Takes an issued invoice to Stripe, charges the card on file for the first time, and books what was paid. Whoever asks again,
 * a run or a page, after a death at any place, goes on with the same calls under the same keys, and is told the same outcome.
 */
export async function collectInvoice(
  deps: ActivityDependencies,
  { invoiceId, at, collectedBy }: CollectInput,
): Promise<ChargeOutcome> {
  if (collectedBy !== null) await updateInvoice(deps.db.orm, invoiceId, { collectedBy });
  await mirrorInvoice(deps, { invoiceId, at });
  return await payInvoice(deps, { invoiceId, attempt: 1, cause: "first", at });
}

/**
 * Makes the invoice exist at Stripe, finalised, line by line as we issued it. Done once, however often it is asked; not where
 * invoices are collected by payment intents.
 */
export async function mirrorInvoice(deps: ActivityDependencies, { invoiceId }: InvoiceAt): Promise<void> {
  const { db, rail, now } = deps;
  if (rail.collecting.by === "payment_intent") return;
  const { invoice, customer } = await loadInvoice(deps, invoiceId);
  // Void, or credited in full before anybody collected it: there is nothing to ask for.
  const isKnown = invoice.stripeInvoiceId !== null || invoice.stripePaymentIntentId !== null;
  if (isKnown || invoice.status !== "open") return;
  const stripeCustomerId = await customerAtStripe(deps, customer);
  const lines = await linesOfInvoice(db.orm, invoiceId);
  const deductions = [
    { lineId: "credits", description: "Credits applied", amount: -invoice.creditsAppliedMinor },
    { lineId: "balance", description: "Customer balance applied", amount: -invoice.balanceAppliedMinor },
    { lineId: "credited", description: "Credit notes", amount: -invoice.creditedMinor },
  ].filter(({ amount }) => amount !== 0n);
  const mirrored = await rail.mirrorInvoice({
    invoiceId,
    number: invoice.number,
    customerId: customer.id,
    stripeCustomerId,
    currency: invoice.currency,
    totalMinor: (invoice.totalMinor - invoice.creditedMinor).toString(),
    metadata: { reckoner_workflow: workflowIds.collection(invoiceId) },
    lines: [
      ...lines
        .filter(({ amountMinor }) => amountMinor !== 0n)
        .map(({ line, description, amountMinor, periodStart, periodEnd }) => ({
          lineId: String(line),
          description,
          amountMinor: amountMinor.toString(),
          period: { start: periodStart, end: periodEnd },
        })),
      ...deductions.map(({ lineId, description, amount }) => ({
        lineId,
        description,
        amountMinor: amount.toString(),
      })),
    ],
    at: now(),
  });
  await linkCopy(deps, invoice, mirrored);
}

/**
 * Charges the card on file for a mirrored invoice, and books what was paid: nobody has to wait for the webhook about it.
 * The same attempt again has the same outcome, and charges nothing.
 */
export async function payInvoice(deps: ActivityDependencies, input: PayInput): Promise<ChargeOutcome> {
  const { invoiceId, attempt, cause } = input;
  const at = instant(input.at);
  const { invoice, customer } = await loadInvoice(deps, invoiceId);
  // Withdrawn meanwhile: nothing is left to be charged.
  if (invoice.status === "void") return { status: "paid" };
  // Paid otherwise; paid by this very attempt, it is still to be written down when its worker died too early.
  if (invoice.status === "paid" && !(await isBegun(deps.db.orm, attemptKey(invoiceId, attempt)))) {
    return { status: "paid" };
  }
  const { outcome, written, paid } = await chargeCard(deps, { invoice, customer, attempt, at });
  await inTransaction(deps.db, async (tx) => {
    await insertAttempt(tx, { invoiceId, attempt, cause, attemptedAt: at, ...written });
    if (outcome.status === "declined") {
      await sayDeclined(tx, invoice, { attempt, declineClass: outcome.declineClass, at });
      await stopDeclinedTopUp(tx, invoice, { declineCode: outcome.declineCode, at });
    }
  });
  // Where two have begun it, it was not paid before the first of them did.
  const paidAt = latestOf([at, written.attemptedAt ?? at]);
  if (paid !== undefined) await bookPaid(deps, invoice, paid, paidAt);
  return outcome;
}

/** Asks Stripe how an invoice stands and books what it answers; for when a webhook does not come. */
export async function settleInvoice(deps: ActivityDependencies, { invoiceId, at }: InvoiceAt): Promise<void> {
  const { invoice } = await loadInvoice(deps, invoiceId);
  await bookStanding(deps, invoice, instant(at));
}

/**
 * Nobody goes on trying: Stripe is told, so that nobody pays by its link unnoticed, and what is due is written off.
 * Answers how the invoice stands then: whoever pays in the last moment has paid.
 */
export async function giveUpInvoice(
  deps: ActivityDependencies,
  { invoiceId, at }: InvoiceAt,
): Promise<{ status: InvoiceStatus }> {
  const { invoice } = await loadInvoice(deps, invoiceId);
  const { stripeInvoiceId } = invoice;
  if (stripeInvoiceId === null) {
    // Nothing at Stripe needs to be told; it may have been paid there a moment ago.
    await bookStanding(deps, invoice, instant(at));
    await writeOff(deps, invoice, instant(at));
  } else if (invoice.status === "open") {
    try {
      await deps.rail.markUncollectible({ invoiceId, stripeInvoiceId, at: deps.now() });
    } catch (error) {
      if (!(error instanceof StripeInvoiceStateError)) throw error;
    }
    // At the instant of giving up, not whenever the webhook about it comes.
    await bookPayment(deps, stripeInvoiceId, instant(at));
  }
  return await readInvoiceStatus(deps.db, invoiceId);
}

async function customerAtStripe(
  { db, rail, now }: ActivityDependencies,
  { id, name, email, stripeCustomerId }: StoredCustomer,
): Promise<string> {
  if (stripeCustomerId !== null) return stripeCustomerId;
  const made = await rail.ensureCustomer({ customerId: id, name, email, at: now() });
  await setStripeCustomer(db.orm, id, made.stripeCustomerId);
  return made.stripeCustomerId;
}

async function loadInvoice(
  { db }: ActivityDependencies,
  invoiceId: string,
): Promise<{ invoice: StoredInvoice; customer: StoredCustomer }> {
  const invoice = await findInvoice(db.orm, invoiceId);
  invariant(invoice, `invoice ${invoiceId} was issued before it is collected`);
  const customer = await findCustomer(db.orm, invoice.customerId);
  invariant(customer, "an invoice has a customer");
  return { invoice, customer };
}

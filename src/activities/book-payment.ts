import { findGrantOfInvoice } from "../db/billing/credit-grants.ts";
import {
  findInvoice,
  findInvoiceAtStripe,
  type StoredInvoice,
  updateInvoice,
} from "../db/billing/invoices.ts";
import { insertPayment } from "../db/billing/payments.ts";
import { lockCustomer } from "../db/billing/subscriptions.ts";
import { inTransaction, type Tx } from "../db/database.ts";
import type { Instant } from "../domain/calendar/index.ts";
import { invariant } from "../domain/errors.ts";
import {
  balanceTransactionRecorded,
  type EntryFacts,
  invoiceWrittenOff,
  paymentSucceeded,
  prepaidCreditsFunded,
  writeOffRecovered,
} from "../domain/ledger/index.ts";
import { currency, money } from "../domain/money/index.ts";
import type { ChargeSettlement, PaymentOutcome } from "../stripe/index.ts";
import { bookSettled, movementKey } from "./balance-movement.ts";
import type { ActivityDependencies } from "./dependencies.ts";
import { book } from "./issue-invoice.ts";

/** What an invoice came to by being read at Stripe. */
export type Booking = "paid" | "paid_outside" | "written_off" | "nothing_new" | "not_ours";

/** What Stripe says of a payment that succeeded. */
export type Paid = Extract<PaymentOutcome, { status: "paid" }>;

/**
 * Reads an invoice at Stripe and books what has become of it, whether a webhook or a question of ours led here. States only
 * move forward; booked twice is booked once.
 */
export async function bookPayment(
  deps: ActivityDependencies,
  stripeInvoiceId: string,
  at: Instant,
): Promise<Booking> {
  const invoice = await findInvoiceAtStripe(deps.db.orm, stripeInvoiceId);
  if (invoice === undefined) return "not_ours";
  const state = await deps.rail.retrieveInvoiceState(stripeInvoiceId);
  if (state.status === "uncollectible") return await writeOff(deps, invoice, at);
  const isOwed = invoice.status === "open" || invoice.status === "uncollectible";
  if (state.status === "paid_without_charge" && isOwed) return "paid_outside";
  if (state.status !== "paid") return "nothing_new";
  return (await bookPaid(deps, invoice, state, at)) ? "paid" : "nothing_new";
}

/** The same of an invoice that is collected by an intent. */
export async function bookIntent(
  deps: ActivityDependencies,
  invoice: StoredInvoice,
  stripePaymentIntentId: string,
  at: Instant,
): Promise<Booking> {
  const { state, invoiceId } = await deps.rail.retrieveIntent(stripePaymentIntentId);
  if (invoiceId !== invoice.id) return "not_ours";
  if (state.status !== "paid") return "nothing_new";
  return (await bookPaid(deps, invoice, state, at)) ? "paid" : "nothing_new";
}

/** Asks Stripe how an invoice stands, by whatever it is collected there, and books what it answers. */
export async function bookStanding(
  deps: ActivityDependencies,
  invoice: StoredInvoice,
  at: Instant,
): Promise<Booking> {
  const { stripeInvoiceId, stripePaymentIntentId } = invoice;
  if (stripeInvoiceId !== null) return await bookPayment(deps, stripeInvoiceId, at);
  if (stripePaymentIntentId === null) return "nothing_new";
  return await bookIntent(deps, invoice, stripePaymentIntentId, at);
}

/**
 * Books a payment that Stripe has told us of, with what reached our balance of it: the one way in which payments enter the ledger.
 * Booked twice is booked once.
 * @returns whether it was news
 */
export async function bookPaid(
  deps: ActivityDependencies,
  invoice: StoredInvoice,
  paid: Paid,
  at: Instant,
): Promise<boolean> {
  // Not there yet, it comes with what has moved the balance.
  const settlement =
    paid.settlement === undefined ? await deps.rail.retrieveSettlement(paid.stripeChargeId) : paid.settlement;
  return await inTransaction(deps.db, async (tx) => {
    const isNews = await receive(tx, invoice.id, paid, at);
    if (settlement != null) await bookSettlement(tx, invoice, { paid, settlement, at });
    return isNews;
  });
}

async function receive(tx: Tx, invoiceId: string, paid: Paid, at: Instant): Promise<boolean> {
  const invoice = await lockedInvoice(tx, invoiceId);
  const received = money(BigInt(paid.amountMinor), invoice.currency);
  const isNews = await insertPayment(tx, {
    stripePaymentIntentId: paid.stripePaymentIntentId,
    invoiceId,
    stripeChargeId: paid.stripeChargeId,
    amountMinor: received.amountMinor,
    receivedAt: at,
  });
  if (!isNews) return false;
  const paymentId = paid.stripePaymentIntentId;
  const facts = factsOf(invoice, `payment/${paymentId}`, at);
  if (invoice.status === "uncollectible") {
    await book(tx, [writeOffRecovered({ ...facts, invoiceId, paymentId, received })]);
  } else {
    const due = money(dueMinorOf(invoice), invoice.currency);
    await book(tx, [paymentSucceeded({ ...facts, paymentId, invoiceId, received, due })]);
  }
  const amountPaidMinor = invoice.amountPaidMinor + received.amountMinor;
  const isUnpaid = invoice.status === "open" || invoice.status === "uncollectible";
  const isPaid = isUnpaid && amountPaidMinor + invoice.creditedMinor >= invoice.totalMinor;
  const hasOwnIntent = invoice.stripeInvoiceId === null && invoice.stripePaymentIntentId === null;
  await updateInvoice(tx, invoiceId, {
    amountPaidMinor,
    ...(isPaid ? { status: "paid", paidAt: at } : {}),
    ...(hasOwnIntent ? { stripePaymentIntentId: paymentId } : {}),
  });
  if (isPaid) await fundCredits(tx, invoice, at);
  return true;
}

/** What is left to be paid of an open invoice; nothing of any other. */
function dueMinorOf({ status, totalMinor, creditedMinor, amountPaidMinor }: StoredInvoice): bigint {
  return status === "open" ? totalMinor - creditedMinor - amountPaidMinor : 0n;
}

/** The credits that were bought with an invoice can be spent once it is paid. */
async function fundCredits(tx: Tx, invoice: StoredInvoice, at: Instant): Promise<void> {
  const grant = await findGrantOfInvoice(tx, invoice.id);
  if (grant === undefined) return;
  await book(tx, [
    prepaidCreditsFunded({
      ...factsOf(invoice, `credit-purchase/${invoice.id}/funded`, at),
      purchaseId: invoice.id,
      grantId: grant.id,
      invoiceId: invoice.id,
      amount: money(grant.amountMinor, grant.currency),
    }),
  ]);
}

interface Settled {
  readonly paid: Paid;
  readonly settlement: ChargeSettlement;
  readonly at: Instant;
}

/** What Stripe keeps of a payment, and what reached our balance there: the clearing account returns to zero. */
async function bookSettlement(
  tx: Tx,
  invoice: StoredInvoice,
  { paid, settlement, at }: Settled,
): Promise<void> {
  const { balanceTransactionId, gross, fee, currency: code } = settlement;
  const moved = { currency: code, amount: BigInt(gross), fee: BigInt(fee) };
  await bookSettled(tx, currency(invoice.currency), moved, (ownFee) =>
    balanceTransactionRecorded({
      ...factsOf(invoice, movementKey(balanceTransactionId), at),
      balanceTransactionId,
      paymentId: paid.stripePaymentIntentId,
      gross: money(BigInt(paid.amountMinor), invoice.currency),
      fee: ownFee,
    }),
  );
}

/** Nobody asks for what is due any more. It can still be paid. */
export async function writeOff(
  { db }: ActivityDependencies,
  { id }: StoredInvoice,
  at: Instant,
): Promise<Booking> {
  return await inTransaction(db, async (tx) => {
    const invoice = await lockedInvoice(tx, id);
    if (invoice.status !== "open") return "nothing_new";
    const due = money(dueMinorOf(invoice), invoice.currency);
    await book(tx, [
      invoiceWrittenOff({ ...factsOf(invoice, `invoice/${id}/written-off`, at), invoiceId: id, due }),
    ]);
    await updateInvoice(tx, id, { status: "uncollectible" });
    return "written_off";
  });
}

async function lockedInvoice(tx: Tx, id: string): Promise<StoredInvoice> {
  const unlocked = await findInvoice(tx, id);
  invariant(unlocked, `invoice ${id} exists`);
  await lockCustomer(tx, unlocked.customerId);
  return (await findInvoice(tx, id)) ?? unlocked;
}

function factsOf(invoice: StoredInvoice, sourceKey: string, at: Instant): EntryFacts {
  return {
    sourceKey,
    customerId: invoice.customerId,
    currency: currency(invoice.currency),
    occurredAt: at,
    effectiveAt: at,
  };
}

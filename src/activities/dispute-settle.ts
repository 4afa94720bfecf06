import { isOpenDispute, storeDispute } from "../db/billing/disputes.ts";
import { invoiceOfPayment } from "../db/billing/dunning-records.ts";
import { findInvoice, findInvoiceAtStripe, type StoredInvoice } from "../db/billing/invoices.ts";
import { findDunning, isOpenDunning } from "../db/billing/payments.ts";
import { lockCustomer } from "../db/billing/subscriptions.ts";
import { inTransaction } from "../db/database.ts";
import { invariant } from "../domain/errors.ts";
import { type DisputeAtStripe, isoMinorOf } from "../stripe/index.ts";
import { disputeChanged } from "../workflows/messages.ts";
import { bookPayment } from "./book-payment.ts";
import { customerClock } from "./customer-clock.ts";
import type { ActivityDependencies } from "./dependencies.ts";
import { bookDispute, type DisputeStanding } from "./dispute-entries.ts";

/**
 * Reads a dispute or an inquiry at Stripe, and does what follows from how it stands, in whatever order events told of it: what
 * it moved is booked from its balance transactions, it is written down with the invoice that was paid, and the invoice's
 * dunning, which stands still as long as one is open, is told. Not ours: the payment was for nothing of ours.
 * @param cause what led here; names what the dunning is told, for good
 */
export async function settleDispute(
  deps: ActivityDependencies,
  stripeDisputeId: string,
  cause: string,
): Promise<"done" | "ignored"> {
  const said = await deps.rail.retrieveDispute(stripeDisputeId);
  const invoice = await invoiceOfDispute(deps, said);
  if (invoice === undefined || said.stripePaymentIntentId === null) return "ignored";
  const { at, reading } = await customerClock(deps, invoice.customerId);
  const standing = standingOf(said, said.stripePaymentIntentId, invoice);
  const { dunning, isOpen } = await inTransaction(deps.db, async (tx) => {
    // A dunning that begins now either reads of it, or is found here.
    await lockCustomer(tx, invoice.customerId);
    await storeDispute(tx, { ...standing, changedAt: deps.now() });
    await bookDispute(tx, { said, standing, at });
    return { dunning: await findDunning(tx, invoice.id), isOpen: isOpenDispute(standing.status) };
  });
  if (dunning === undefined || !isOpenDunning(dunning)) return "done";
  const told = { disputeId: stripeDisputeId, isOpen, cause };
  await deps.gateway.tellDunning(invoice.id, reading, disputeChanged, told);
  return "done";
}

/** The invoice that the disputed payment was for; the payment is booked first when we have not heard of it yet. */
async function invoiceOfDispute(
  deps: ActivityDependencies,
  { stripePaymentIntentId, stripeInvoiceId }: DisputeAtStripe,
): Promise<StoredInvoice | undefined> {
  if (stripePaymentIntentId === null) return undefined;
  const invoiceId = await invoiceOfPayment(deps.db.orm, stripePaymentIntentId);
  if (invoiceId !== undefined) return await findInvoice(deps.db.orm, invoiceId);
  if (stripeInvoiceId === null) return undefined;
  const mirrored = await findInvoiceAtStripe(deps.db.orm, stripeInvoiceId);
  if (mirrored === undefined) return undefined;
  const { at } = await customerClock(deps, mirrored.customerId);
  await bookPayment(deps, stripeInvoiceId, at);
  const isBooked = (await invoiceOfPayment(deps.db.orm, stripePaymentIntentId)) !== undefined;
  invariant(isBooked, `the disputed payment ${stripePaymentIntentId} of invoice ${mirrored.id} is booked`);
  return mirrored;
}

function standingOf(
  said: DisputeAtStripe,
  stripePaymentIntentId: string,
  invoice: StoredInvoice,
): DisputeStanding {
  invariant(said.currency === invoice.currency, "a payment is disputed in the currency of its invoice");
  const moved = said.movements.reduce((sum, { amount }) => sum + amount, 0n);
  const { stripeDisputeId, currency, reason, openedAt, status, answerBy } = said;
  return {
    stripeDisputeId,
    invoiceId: invoice.id,
    customerId: invoice.customerId,
    stripePaymentIntentId,
    currency,
    amountMinor: BigInt(said.amountMinor),
    reason,
    openedAt,
    status,
    withdrawnMinor: moved < 0n ? BigInt(isoMinorOf(Number(-moved), currency)) : 0n,
    answerBy,
  };
}

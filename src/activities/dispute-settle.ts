import { isOpenDispute, storeDispute } from "../db/billing/disputes.ts";
import { invoiceOfPayment } from "../db/billing/dunning-records.ts";
import { findInvoice, type StoredInvoice } from "../db/billing/invoices.ts";
import { findDunning, isOpenDunning } from "../db/billing/payments.ts";
import { lockCustomer } from "../db/billing/subscriptions.ts";
import { inTransaction } from "../db/database.ts";
import { invariant } from "../domain/errors.ts";
import { type DisputeAtStripe, isoMinorOf } from "../stripe/index.ts";
import { disputeChanged } from "../workflows/messages.ts";
import { bookUnknown } from "./book-unknown.ts";
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
  { stripePaymentIntentId }: DisputeAtStripe,
): Promise<StoredInvoice | undefined> {
  if (stripePaymentIntentId === null) return undefined;
  const invoiceId = await invoiceOfPayment(deps.db.orm, stripePaymentIntentId);
  if (invoiceId !== undefined) return await findInvoice(deps.db.orm, invoiceId);
  const paidFor = await deps.rail.retrievePaidByIntent(stripePaymentIntentId);
  const invoice = paidFor === null ? undefined : await bookUnknown(deps, paidFor, stripePaymentIntentId);
  if (invoice === undefined) return undefined;
  const isBooked = (await invoiceOfPayment(deps.db.orm, stripePaymentIntentId)) !== undefined;
  invariant(isBooked, `the disputed payment ${stripePaymentIntentId} of invoice ${invoice.id} is booked`);
  return invoice;
}

function standingOf(
  said: DisputeAtStripe,
  stripePaymentIntentId: string,
  invoice: StoredInvoice,
): DisputeStanding {
  invariant(said.currency === invoice.currency, "a payment is disputed in the currency of its invoice");
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
    withdrawnMinor: withdrawnOf(said),
    answerBy,
  };
}

/** What the bank has taken and not given back, in the currency of the payment, whatever it settled in. */
function withdrawnOf({ movements, currency, amountMinor }: DisputeAtStripe): bigint {
  const isOwn = movements.every((movement) => movement.currency === currency);
  const moved = movements.reduce((sum, { amount }) => sum + (isOwn ? amount : signOf(amount)), 0n);
  if (moved >= 0n) return 0n;
  return isOwn ? BigInt(isoMinorOf(Number(-moved), currency)) : BigInt(amountMinor);
}

const signOf = (amount: bigint): bigint => (amount < 0n ? -1n : amount > 0n ? 1n : 0n);

import { isBeingBooked } from "../db/billing/card-attempts.ts";
import { findInvoice, findInvoiceAtStripe, type StoredInvoice } from "../db/billing/invoices.ts";
import { findPayment } from "../db/billing/payments.ts";
import { isoOf } from "../domain/calendar/index.ts";
import { BillingError } from "../domain/errors.ts";
import type { WebhookSubject } from "../stripe/index.ts";
import { workflowIds } from "../workflows/messages.ts";
import { bookIntent, bookPayment } from "./book-payment.ts";
import { customerClock } from "./customer-clock.ts";
import type { ActivityDependencies } from "./dependencies.ts";
import { recoverGivenUp } from "./dunning-steps.ts";

export type Applied = "done" | "ignored";

/** What a webhook is about is not written down yet, but will be in a moment: it is looked at again. */
export class AwaitedError extends Error {}

/** Somebody has said in Stripe's dashboard that it was paid elsewhere. Where the money is, a person has to say. */
export class PaidOutsideStripeError extends BillingError {
  readonly code = "paid_outside_stripe";

  constructor(invoiceId: string) {
    super(
      `invoice ${invoiceId} was marked at Stripe as paid outside of it, and no money of it is known here: ` +
        "credit the invoice, and give the customer's balance what came",
    );
  }
}

/** Stripe has told of the mirror of an invoice, which stands otherwise than before. */
export async function applyInvoice(
  deps: ActivityDependencies,
  { stripeInvoiceId, invoiceId }: Extract<WebhookSubject, { kind: "invoice" }>,
  eventId: string,
): Promise<Applied> {
  const { orm } = deps.db;
  const invoice = await findInvoiceAtStripe(orm, stripeInvoiceId);
  if (invoice === undefined) {
    const isAwaited = invoiceId !== null && (await findInvoice(orm, invoiceId)) !== undefined;
    if (isAwaited) throw new AwaitedError(`${stripeInvoiceId} is not known to be of ${invoiceId} yet`);
    return "ignored";
  }
  // Paid is the end at Stripe: once that payment is booked there is nothing new to be read.
  const isBooked = invoice.status === "paid" && invoice.amountPaidMinor > 0n;
  return await apply(deps, invoice, eventId, async (at) => {
    if (isBooked) return;
    await leaveToWhoeverCharged(deps, invoice);
    const booking = await bookPayment(deps, stripeInvoiceId, at);
    if (booking === "paid_outside") throw new PaidOutsideStripeError(invoice.id);
  });
}

/** Stripe has told of an intent that has succeeded. Those of mirrors, and of others on the account, are nothing of ours. */
export async function applyIntent(
  deps: ActivityDependencies,
  { stripePaymentIntentId, invoiceId }: Extract<WebhookSubject, { kind: "payment_intent" }>,
  eventId: string,
): Promise<Applied> {
  const { orm } = deps.db;
  const invoice = invoiceId === null ? undefined : await findInvoice(orm, invoiceId);
  if (invoice === undefined) return "ignored";
  return await apply(deps, invoice, eventId, async (at) => {
    if ((await findPayment(orm, stripePaymentIntentId)) !== undefined) return;
    await leaveToWhoeverCharged(deps, invoice);
    await bookIntent(deps, invoice, stripePaymentIntentId, at);
  });
}

/** Events are often quicker than answers. Whoever was answered books it, and then nothing has to be read. */
async function leaveToWhoeverCharged({ db }: ActivityDependencies, { id }: StoredInvoice): Promise<void> {
  if (await isBeingBooked(db.orm, id)) throw new AwaitedError(`invoice ${id} is being booked`);
}

async function apply(
  deps: ActivityDependencies,
  { id, customerId, collectedBy }: StoredInvoice,
  eventId: string,
  bookIt: (at: Awaited<ReturnType<typeof customerClock>>["at"]) => Promise<void>,
): Promise<Applied> {
  const { at, reading } = await customerClock(deps, customerId);
  await bookIt(at);
  await recoverGivenUp(deps, id, isoOf(at));
  // Nobody else waits for a payment: whoever charges books it, and has ended by now.
  if (collectedBy === workflowIds.dunning(id))
    await deps.gateway.tellInvoiceChanged(collectedBy, reading, eventId);
  return "done";
}

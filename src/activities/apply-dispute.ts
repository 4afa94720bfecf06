import { invoiceOfPayment, noteDispute } from "../db/billing/dunning-records.ts";
import { findInvoice } from "../db/billing/invoices.ts";
import { findDunning, isOpenDunning } from "../db/billing/payments.ts";
import { lockCustomer } from "../db/billing/subscriptions.ts";
import { testClockOf } from "../db/billing/test-clocks.ts";
import { inTransaction } from "../db/database.ts";
import { isoOf } from "../domain/calendar/index.ts";
import { invariant } from "../domain/errors.ts";
import { webhookSubject } from "../stripe/index.ts";
import { disputeChanged } from "../workflows/messages.ts";
import type { ActivityDependencies } from "./dependencies.ts";

/**
 * A dispute or an inquiry about a payment: written down with the invoice that was paid, and told to its dunning, which stands
 * still as long as one is open. What it does to the ledger is booked elsewhere.
 */
export async function applyDispute(
  { db, gateway }: ActivityDependencies,
  webhook: { readonly body: string; readonly event_id: string },
): Promise<"done" | "ignored"> {
  const subject = webhookSubject({ rawBody: webhook.body });
  if (subject.kind !== "dispute") return "ignored";
  const { stripeDisputeId, stripePaymentIntentId, isOpen } = subject;
  const invoiceId = await invoiceOfPayment(db.orm, stripePaymentIntentId);
  if (invoiceId === undefined) return "ignored";
  const invoice = await findInvoice(db.orm, invoiceId);
  invariant(invoice, `invoice ${invoiceId} exists`);
  const { customerId } = invoice;
  const dunning = await inTransaction(db, async (tx) => {
    // A dunning that begins now either reads of it, or is found here.
    await lockCustomer(tx, customerId);
    await noteDispute(tx, { stripeDisputeId, invoiceId, isOpen });
    return await findDunning(tx, invoiceId);
  });
  if (dunning === undefined || !isOpenDunning(dunning)) return "done";
  const clock = await testClockOf(db.orm, customerId);
  const reading = clock === undefined ? null : { clockId: clock.id, now: isoOf(clock.currentAt) };
  const told = { disputeId: stripeDisputeId, isOpen, cause: webhook.event_id };
  await gateway.tellDunning(invoiceId, reading, disputeChanged, told);
  return "done";
}

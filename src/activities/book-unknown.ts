import { findInvoice, findInvoiceAtStripe, type StoredInvoice } from "../db/billing/invoices.ts";
import type { PaidFor } from "../stripe/index.ts";
import { bookIntent, bookPayment } from "./book-payment.ts";
import { customerClock } from "./customer-clock.ts";
import type { ActivityDependencies } from "./dependencies.ts";

/** Books a payment of ours that nobody has told us of, and answers which invoice it was for; undefined: none of ours. */
export async function bookUnknown(
  deps: ActivityDependencies,
  paidFor: PaidFor,
  stripePaymentIntentId: string,
): Promise<StoredInvoice | undefined> {
  const { orm } = deps.db;
  const invoice =
    paidFor.by === "invoice"
      ? await findInvoiceAtStripe(orm, paidFor.stripeInvoiceId)
      : await findInvoice(orm, paidFor.invoiceId);
  if (invoice === undefined) return undefined;
  const { at } = await customerClock(deps, invoice.customerId);
  if (paidFor.by === "invoice") await bookPayment(deps, paidFor.stripeInvoiceId, at);
  else await bookIntent(deps, invoice, stripePaymentIntentId, at);
  return invoice;
}

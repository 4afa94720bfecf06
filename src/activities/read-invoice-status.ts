import { findInvoice } from "../db/billing/invoices.ts";
import type { Database } from "../db/database.ts";
import type { InvoiceStatus } from "../db/schema/billing.ts";
import { invariant } from "../domain/errors.ts";

/** How an invoice stands by what has been booked. */
export async function readInvoiceStatus(db: Database, invoiceId: string): Promise<{ status: InvoiceStatus }> {
  const invoice = await findInvoice(db.orm, invoiceId);
  invariant(invoice, `invoice ${invoiceId} exists`);
  return { status: invoice.status };
}

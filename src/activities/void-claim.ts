import { isBeingCharged } from "../db/billing/card-attempts.ts";
import { invoiceToVoid } from "../db/billing/invoice-voids.ts";
import { findInvoice, type StoredInvoice, updateInvoice } from "../db/billing/invoices.ts";
import { lockCustomer } from "../db/billing/subscriptions.ts";
import { insertVoidTaxWanted } from "../db/billing/void-tax.ts";
import { type Database, inTransaction, type Tx } from "../db/database.ts";
import type { Instant } from "../domain/calendar/index.ts";
import { invariant } from "../domain/errors.ts";
import { InvoiceNotVoidableError, requireVoidable } from "../domain/invoicing/index.ts";
import { StripeInvoiceStateError } from "../stripe/index.ts";
import type { ActivityDependencies } from "./dependencies.ts";
import type { MissingTax } from "./wait-for-tax.ts";

/**
 * From now on nothing may come that the invoice could not be voided with: no credit note, no rating that builds on it, no end of a
 * grant that paid for it. Whoever goes on with this after a death finds it so.
 * @throws InvoiceNotVoidableError where something came since the rehearsal
 */
export async function claimVoid(db: Database, { id, customerId }: StoredInvoice, at: Instant): Promise<void> {
  await inTransaction(db, async (tx) => {
    await lockCustomer(tx, customerId);
    const invoice = await findInvoice(tx, id);
    invariant(invoice, `invoice ${id} exists`);
    if (invoice.status === "void") return;
    requireVoidable(await invoiceToVoid(tx, invoice, at));
    await updateInvoice(tx, id, { voidingSince: at });
  });
}

/** Whatever waited for it may come. */
export const releaseVoid = (tx: Tx, { id }: Pick<StoredInvoice, "id">) =>
  updateInvoice(tx, id, { voidingSince: null });

/** It is void at Stripe: whatever keeps it from being voided here, such as tax that usage wants that came just now, is tried again. */
export class VoidUnfinishedError extends Error {
  constructor(invoiceId: string, cause: InvoiceNotVoidableError) {
    super(`invoice ${invoiceId} is void at Stripe, and not here yet: ${cause.message}`, { cause });
  }
}

/** Somebody asks for the money of an invoice at this very moment; when they have ended, it is voided or it was paid. */
class InvoiceBeingCollectedError extends Error {
  constructor(invoiceId: string) {
    super(`invoice ${invoiceId} is being collected; trying again`);
  }
}

/** Nothing by which it could be paid has come since it was withdrawn at Stripe, or is about to. */
export async function requireWithdrawn(tx: Tx, withdrawn: StoredInvoice): Promise<void> {
  const { id, stripeInvoiceId, stripePaymentIntentId } = withdrawn;
  const now = await findInvoice(tx, id);
  const isSame =
    now?.stripeInvoiceId === stripeInvoiceId && now.stripePaymentIntentId === stripePaymentIntentId;
  const isCharged = stripeInvoiceId === null && (await isBeingCharged(tx, id));
  if (!isSame || isCharged) throw new InvoiceBeingCollectedError(id);
}

/** @throws InvoiceNotVoidableError when it was paid there a moment ago */
export async function withdrawAtStripe(
  { rail, now }: Pick<ActivityDependencies, "rail" | "now">,
  { id: invoiceId, stripeInvoiceId, stripePaymentIntentId }: StoredInvoice,
): Promise<void> {
  const at = now();
  try {
    if (stripeInvoiceId !== null) await rail.voidInvoice({ invoiceId, stripeInvoiceId, at });
    if (stripePaymentIntentId !== null) await rail.cancelIntent({ invoiceId, stripePaymentIntentId, at });
  } catch (error) {
    if (!(error instanceof StripeInvoiceStateError)) throw error;
    throw new InvoiceNotVoidableError(
      "invoice_not_voidable",
      "it was paid at Stripe a moment ago: credit it instead",
    );
  }
}

/** The invoice that would bill anew comes to other lines, whose tax nobody has given. */
export class VoidTaxMissingError extends InvoiceNotVoidableError {
  readonly missing: MissingTax;

  constructor(missing: MissingTax) {
    const message = `the period comes to other lines now, whose tax is reckoned outside and not given: give it for the quote ${missing.quote}, or credit the invoice`;
    super("tax_missing", message);
    this.missing = missing;
  }
}

/** Where tax is missing, it is kept for which lines, so that it can be asked and given: what found it out was taken back. */
export async function keepingTaxWanted<T>(
  { orm }: Database,
  { id }: StoredInvoice,
  at: Instant,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const found = error instanceof VoidUnfinishedError ? error.cause : error;
    if (found instanceof VoidTaxMissingError) {
      const { standing, ...wanted } = found.missing;
      await insertVoidTaxWanted(orm, id, { ...wanted, basis: standing.basis }, at);
    }
    throw error;
  }
}

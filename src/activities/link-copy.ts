import { insertCopyChange } from "../db/billing/copy-changes.ts";
import { lowerings } from "../db/billing/credit-notes.ts";
import { findInvoice, type StoredInvoice, updateInvoice } from "../db/billing/invoices.ts";
import { lockCustomer } from "../db/billing/subscriptions.ts";
import { inTransaction } from "../db/database.ts";
import { money } from "../domain/money/index.ts";
import type { MirroredInvoice } from "../stripe/index.ts";
import type { ActivityDependencies } from "./dependencies.ts";

/**
 * From now on Stripe has a copy of the invoice. What was credited while it was made, the copy has still to be told.
 * @param copied the invoice as the copy was made of it
 */
export async function linkCopy(
  { db }: Pick<ActivityDependencies, "db">,
  copied: StoredInvoice,
  { stripeInvoiceId, hostedInvoiceUrl }: MirroredInvoice,
): Promise<void> {
  const { id, customerId, currency } = copied;
  await inTransaction(db, async (tx) => {
    await lockCustomer(tx, customerId);
    const linked = (await findInvoice(tx, id))?.stripeInvoiceId != null;
    await updateInvoice(tx, id, { stripeInvoiceId, hostedInvoiceUrl });
    if (linked) return;
    const nothing = money(0n, currency);
    let creditedMinor = 0n;
    for (const { creditNoteId, lowersDueMinor } of await lowerings(tx, id)) {
      const before = { ...copied, stripeInvoiceId, creditedMinor };
      creditedMinor += lowersDueMinor;
      if (creditedMinor <= copied.creditedMinor) continue;
      const lowersDue = money(lowersDueMinor, currency);
      await insertCopyChange(tx, before, creditNoteId, { lowersDue, toBalance: nothing, toRefund: nothing });
    }
  });
}

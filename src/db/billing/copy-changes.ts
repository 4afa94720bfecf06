import { and, asc, eq, sql } from "drizzle-orm";
import type { PlannedCreditNote } from "../../domain/invoicing/index.ts";
import type { Tx } from "../database.ts";
import { copyChange } from "../schema/stripe.ts";
import type { StoredInvoice } from "./invoices.ts";

export type StoredCopyChange = typeof copyChange.$inferSelect;

/**
 * Writes down, with the note, what Stripe's copy of its invoice has to be told; nothing where there is no copy. Of what was paid
 * a copy cannot be told more than it was paid with: what the customer's balance paid, Stripe knows nothing of.
 * @param invoice as it was before the note
 */
export async function insertCopyChange(
  tx: Tx,
  { id: invoiceId, stripeInvoiceId, totalMinor, creditedMinor, amountPaidMinor }: StoredInvoice,
  creditNoteId: string,
  { lowersDue, toBalance, toRefund }: Pick<PlannedCreditNote, "lowersDue" | "toBalance" | "toRefund">,
): Promise<void> {
  if (stripeInvoiceId === null) return;
  const earlier = await copyChangesOf(tx, invoiceId);
  const paidLeft = earlier.reduce((left, each) => left - each.givenBackMinor, amountPaidMinor);
  const wanted = toBalance.amountMinor + toRefund.amountMinor;
  const givenBackMinor = wanted < paidLeft ? wanted : paidLeft;
  const dueBeforeMinor = totalMinor - creditedMinor - amountPaidMinor;
  if (lowersDue.amountMinor === 0n && givenBackMinor <= 0n) return;
  await tx.insert(copyChange).values({
    creditNoteId,
    invoiceId,
    dueBeforeMinor: dueBeforeMinor > 0n ? dueBeforeMinor : 0n,
    dueAfterMinor: dueBeforeMinor > 0n ? dueBeforeMinor - lowersDue.amountMinor : 0n,
    givenBackMinor: givenBackMinor > 0n ? givenBackMinor : 0n,
  });
}

export async function copyChangesOf(tx: Tx, invoiceId: string): Promise<StoredCopyChange[]> {
  return await tx
    .select()
    .from(copyChange)
    .where(eq(copyChange.invoiceId, invoiceId))
    .orderBy(asc(copyChange.recordedAt), asc(copyChange.creditNoteId));
}

/** What copies still have to be told, the oldest first: of one invoice, or of all. */
export async function waitingCopyChanges(
  tx: Tx,
  { invoiceId, limit = 100 }: { readonly invoiceId?: string; readonly limit?: number } = {},
): Promise<StoredCopyChange[]> {
  return await tx
    .select()
    .from(copyChange)
    .where(
      and(
        eq(copyChange.state, "waiting"),
        invoiceId === undefined ? undefined : eq(copyChange.invoiceId, invoiceId),
      ),
    )
    .orderBy(asc(copyChange.recordedAt), asc(copyChange.creditNoteId))
    .limit(limit);
}

export async function findCopyChange(tx: Tx, creditNoteId: string): Promise<StoredCopyChange | undefined> {
  const [row] = await tx.select().from(copyChange).where(eq(copyChange.creditNoteId, creditNoteId));
  return row;
}

/** How telling it ended. Who comes second changes nothing. */
export async function endCopyChange(
  tx: Tx,
  creditNoteId: string,
  end:
    | { readonly state: "done"; readonly stripeCreditNoteId: string | null }
    | { readonly state: "refused"; readonly problem: string },
): Promise<void> {
  await tx
    .update(copyChange)
    .set({ problem: null, ...end, changedAt: sql`clock_timestamp()` })
    .where(and(eq(copyChange.creditNoteId, creditNoteId), sql`${copyChange.state} <> 'done'`));
}

import { and, asc, desc, eq, inArray, lte, sql } from "drizzle-orm";
import type { Instant } from "../../domain/calendar/index.ts";
import type { RefundablePayment } from "../../domain/invoicing/index.ts";
import { money } from "../../domain/money/index.ts";
import { rows, type Tx } from "../database.ts";
import { type NewestFirst, olderThan, type Page, type PageRequest, pageOf, rowsToRead } from "../page.ts";
import { creditNoteRequest } from "../schema/invoice-documents.ts";
import { type RefundState, refund } from "../schema/money-out.ts";

export type { RefundState };
export type StoredRefund = typeof refund.$inferSelect;

/** Writes down what is to go back. The database refuses more than is left of the payment. */
export async function insertRefunds(tx: Tx, toStore: readonly (typeof refund.$inferInsert)[]): Promise<void> {
  // One by one: each must see those before it.
  for (const row of toStore) await tx.insert(refund).values(row);
}

export async function findRefund(tx: Tx, id: string): Promise<StoredRefund | undefined> {
  const [row] = await tx.select().from(refund).where(eq(refund.id, id));
  return row;
}

export async function findRefundAtStripe(tx: Tx, stripeRefundId: string): Promise<StoredRefund | undefined> {
  const [row] = await tx.select().from(refund).where(eq(refund.stripeRefundId, stripeRefundId));
  return row;
}

/** Moves a refund on; what it may become is the database's rule. */
export async function moveRefund(
  tx: Tx,
  id: string,
  change: Pick<StoredRefund, "changedAt"> &
    Partial<Pick<StoredRefund, "state" | "stripeRefundId" | "failureCode">>,
): Promise<void> {
  await tx.update(refund).set(change).where(eq(refund.id, id));
}

/** The refunds of an invoice, or of a credit note, the oldest first. */
export async function refundsOf(
  tx: Tx,
  of: { readonly invoiceId: string } | { readonly creditNoteId: string },
): Promise<StoredRefund[]> {
  const condition =
    "invoiceId" in of ? eq(refund.invoiceId, of.invoiceId) : eq(refund.creditNoteId, of.creditNoteId);
  return await tx.select().from(refund).where(condition).orderBy(asc(refund.requestedAt), asc(refund.id));
}

/** The refunds that the end of a subscription promised and nobody has sent yet. */
export async function requestedRefundsOfEnd(tx: Tx, subscriptionId: string): Promise<string[]> {
  const found = await tx
    .select({ id: refund.id })
    .from(refund)
    .innerJoin(creditNoteRequest, eq(creditNoteRequest.id, refund.creditNoteId))
    .where(and(eq(creditNoteRequest.subscriptionId, subscriptionId), eq(refund.state, "requested")))
    .orderBy(asc(refund.id));
  return found.map(({ id }) => id);
}

export interface RefundFilter {
  readonly customerId?: string | undefined;
  readonly invoiceId?: string | undefined;
  readonly state?: RefundState | undefined;
}

export async function listRefunds(
  tx: Tx,
  { customerId, invoiceId, state }: RefundFilter,
  page: PageRequest<NewestFirst>,
): Promise<Page<StoredRefund, NewestFirst>> {
  const found = await tx
    .select()
    .from(refund)
    .where(
      and(
        customerId === undefined ? undefined : eq(refund.customerId, customerId),
        invoiceId === undefined ? undefined : eq(refund.invoiceId, invoiceId),
        state === undefined ? undefined : eq(refund.state, state),
        olderThan(refund.requestedAt, refund.id, page.after),
      ),
    )
    .orderBy(desc(refund.requestedAt), desc(refund.id))
    .limit(rowsToRead(page));
  return pageOf(found, page, ({ requestedAt, id }) => ({ at: requestedAt, id }));
}

/** Refunds that have not come to an end and were not heard of since, the longest silent first. */
export async function refundsUnderWay(
  tx: Tx,
  { silentSince, limit }: { readonly silentSince: Instant; readonly limit: number },
): Promise<StoredRefund[]> {
  return await tx
    .select()
    .from(refund)
    .where(
      and(
        inArray(refund.state, ["requested", "pending", "requires_action"]),
        lte(refund.changedAt, silentSince),
      ),
    )
    .orderBy(asc(refund.changedAt), asc(refund.id))
    .limit(limit);
}

/**
 * What paid an invoice, the newest payment first, with what is left of each: less what goes back or has gone, and what the bank
 * took. An inquiry takes nothing and forbids nothing; a dispute does, until it is won.
 */
export async function refundablePayments(
  tx: Tx,
  invoice: { readonly id: string; readonly currency: string },
): Promise<RefundablePayment[]> {
  const found = await rows<{ id: string; left: string; is_charged_back: boolean }>(
    tx,
    sql`select stripe_payment_intent_id as id,
          greatest(amount_minor - billing.given_back_minor(stripe_payment_intent_id), 0)::text as left,
          exists (select from billing.invoice_dispute as dispute
            where dispute.stripe_payment_intent_id = payment.stripe_payment_intent_id
              and dispute.status not like 'warning\\_%' and dispute.status not in ('won', 'prevented')) as is_charged_back
        from billing.payment as payment where invoice_id = ${invoice.id}
        order by received_at desc, stripe_payment_intent_id`,
  );
  return found.map(({ id, left, is_charged_back: isChargedBack }) => ({
    paymentId: id,
    left: money(BigInt(left), invoice.currency),
    isChargedBack,
  }));
}

import { asc, eq, sql } from "drizzle-orm";
import type { Instant, Period } from "../../domain/calendar/index.ts";
import { invariant } from "../../domain/errors.ts";
import type { InvoiceLine, InvoiceTotals, UsageCompleteness } from "../../domain/invoicing/index.ts";
import { type Money, money } from "../../domain/money/index.ts";
import { rows, type Tx } from "../database.ts";
import { creditDraw, customer, type InvoiceKind, invoice, invoiceLine } from "../schema/billing.ts";

export type StoredInvoice = typeof invoice.$inferSelect;
export type StoredInvoiceLine = typeof invoiceLine.$inferSelect;

export interface InvoiceToStore {
  readonly id: string;
  readonly sourceKey: string;
  readonly kind: InvoiceKind;
  readonly customerId: string;
  readonly subscriptionId: string | null;
  readonly period: Period | null;
  readonly lines: readonly InvoiceLine[];
  readonly totals: InvoiceTotals;
  readonly issuedAt: Instant;
  /** Of the period that it closes, when it closes one. */
  readonly usage?: UsageCompleteness;
}

/**
 * Stores an issued invoice with its lines and credit draws, numbered without gaps within its customer. The caller holds
 * the customer's lock. An invoice of nothing is paid when it is issued.
 */
export async function insertInvoice(tx: Tx, toStore: InvoiceToStore): Promise<StoredInvoice> {
  const { id, lines, totals, period, issuedAt, customerId, usage, ...rest } = toStore;
  const [numbered] = await tx
    .update(customer)
    .set({ invoicesIssued: sql`${customer.invoicesIssued} + 1` })
    .where(eq(customer.id, customerId))
    .returning({ number: customer.invoicesIssued });
  invariant(numbered, "an invoice is issued to a customer that exists");
  const isNothing = totals.total.amountMinor === 0n;
  const [stored] = await tx
    .insert(invoice)
    .values({
      ...rest,
      id,
      customerId,
      number: `${customerId.toUpperCase()}-${String(numbered.number).padStart(4, "0")}`,
      status: isNothing ? "paid" : "open",
      currency: totals.total.currency,
      periodStart: period?.start ?? null,
      periodEnd: period?.end ?? null,
      subtotalMinor: totals.subtotal.amountMinor,
      creditsAppliedMinor: totals.creditsApplied.amountMinor,
      balanceAppliedMinor: totals.balanceApplied.amountMinor,
      totalMinor: totals.total.amountMinor,
      amountPaidMinor: 0n,
      issuedAt,
      usageCompleteUntil: usage?.completeUntil ?? null,
      usageKnownBy: usage?.knownBy ?? null,
      usageHeldBackBy: usage?.heldBackBy?.source ?? null,
      paidAt: isNothing ? issuedAt : null,
    })
    .returning();
  invariant(stored, "an inserted invoice comes back");
  await insertLines(tx, id, lines);
  if (totals.draws.length > 0) {
    await tx.insert(creditDraw).values(
      totals.draws.map(({ grantId, amount }) => ({
        grantId,
        invoiceId: id,
        amount: amount.toString(),
        drawnAt: issuedAt,
      })),
    );
  }
  return stored;
}

async function insertLines(tx: Tx, invoiceId: string, lines: readonly InvoiceLine[]): Promise<void> {
  if (lines.length === 0) return;
  await tx.insert(invoiceLine).values(
    lines.map((line, index) => ({
      invoiceId,
      line: index + 1,
      kind: line.kind,
      earning: line.earning,
      description: line.description,
      product: line.product,
      planKey: line.source?.planKey ?? null,
      planVersion: line.source?.planVersion ?? null,
      priceKey: line.source?.priceKey ?? null,
      periodStart: line.period.start,
      periodEnd: line.period.end,
      quantity: line.quantity?.text ?? null,
      amountMinor: line.amount.amountMinor,
      exactMinor: line.exactMinor.text,
      detail: line.detail,
    })),
  );
}

export async function findInvoice(tx: Tx, id: string): Promise<StoredInvoice | undefined> {
  const [row] = await tx.select().from(invoice).where(eq(invoice.id, id));
  return row;
}

export async function findInvoiceBySource(tx: Tx, sourceKey: string): Promise<StoredInvoice | undefined> {
  const [row] = await tx.select().from(invoice).where(eq(invoice.sourceKey, sourceKey));
  return row;
}

export async function findInvoiceAtStripe(
  tx: Tx,
  stripeInvoiceId: string,
): Promise<StoredInvoice | undefined> {
  const [row] = await tx.select().from(invoice).where(eq(invoice.stripeInvoiceId, stripeInvoiceId));
  return row;
}

export async function linesOfInvoice(tx: Tx, invoiceId: string): Promise<StoredInvoiceLine[]> {
  return await tx
    .select()
    .from(invoiceLine)
    .where(eq(invoiceLine.invoiceId, invoiceId))
    .orderBy(asc(invoiceLine.line));
}

/** Changes what may change of an issued invoice: its state, where it is at Stripe, and who collects it. */
export async function updateInvoice(
  tx: Tx,
  id: string,
  change: Partial<
    Pick<
      StoredInvoice,
      "status" | "paidAt" | "amountPaidMinor" | "stripeInvoiceId" | "hostedInvoiceUrl" | "collectedBy"
    >
  >,
): Promise<void> {
  await tx.update(invoice).set(change).where(eq(invoice.id, id));
}

/** What was too small to be charged on earlier invoices and has not come back on a later one. */
export async function carriedAmount(tx: Tx, customerId: string, currency: string): Promise<Money> {
  const [row] = await rows<{ carried: bigint }>(
    tx,
    sql`select coalesce(-sum(line.amount_minor), 0)::int8 as carried
        from billing.invoice inv join billing.invoice_line line on line.invoice_id = inv.id
        where inv.customer_id = ${customerId} and inv.currency = ${currency} and inv.status <> 'void'
          and line.kind in ('carried_forward', 'carried_over')`,
  );
  return money(row?.carried ?? 0n, currency);
}

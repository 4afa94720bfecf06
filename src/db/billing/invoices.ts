import { asc, eq, sql } from "drizzle-orm";
import type { Instant } from "../../domain/calendar/index.ts";
import type { InvoiceLine, InvoiceTotals } from "../../domain/invoicing/index.ts";
import { type Money, money, storedDecimal } from "../../domain/money/index.ts";
import { rows, type Tx } from "../database.ts";
import { type InvoiceKind, invoice, invoiceLine } from "../schema/billing.ts";
import type { creditDraw } from "../schema/credit-grants.ts";
import { type PartToStore, saidOfParts } from "./invoice-parts.ts";

export type StoredInvoice = typeof invoice.$inferSelect;
export type StoredInvoiceLine = typeof invoiceLine.$inferSelect;

export interface InvoiceToStore {
  readonly id: string;
  readonly sourceKey: string;
  readonly kind: InvoiceKind;
  readonly customerId: string;
  /** At least one; their lines, one part after the other, are the invoice's. */
  readonly parts: readonly PartToStore[];
  readonly totals: InvoiceTotals;
  readonly issuedAt: Instant;
  /** The void invoice that it bills anew. */
  readonly replaces?: string;
}

/** An invoice of nothing is paid when it is issued. */
export const statusAtIssue = ({ total }: InvoiceTotals): "paid" | "open" =>
  total.amountMinor === 0n ? "paid" : "open";

/** An invoice as the table has it, but for what is numbered when it is issued. */
export function invoiceRow(toStore: InvoiceToStore): Omit<typeof invoice.$inferInsert, "number"> {
  const { id, sourceKey, kind, customerId, parts, totals, issuedAt, replaces } = toStore;
  const status = statusAtIssue(totals);
  return {
    id,
    sourceKey,
    kind,
    customerId,
    ...saidOfParts(parts),
    status,
    currency: totals.total.currency,
    subtotalMinor: totals.subtotal.amountMinor,
    taxMinor: totals.tax.amountMinor,
    creditsAppliedMinor: totals.creditsApplied.amountMinor,
    balanceAppliedMinor: totals.balanceApplied.amountMinor,
    totalMinor: totals.total.amountMinor,
    amountPaidMinor: 0n,
    creditedMinor: 0n,
    issuedAt,
    paidAt: status === "paid" ? issuedAt : null,
    replaces: replaces ?? null,
  };
}

/** Draws on credit grants as the table has them. */
export function drawRows(
  invoiceId: string,
  { draws }: InvoiceTotals,
  drawnAt: Instant,
): (typeof creditDraw.$inferInsert)[] {
  return draws.map(({ grantId, line, amount }, index) => ({
    invoiceId,
    position: index + 1,
    line: line + 1,
    grantId,
    amount: amount.toString(),
    drawnAt,
  }));
}

/** Lines as the table has them, numbered from 1 over all parts. */
export function lineRows(
  invoiceId: string,
  parts: readonly Pick<PartToStore, "lines">[],
): (typeof invoiceLine.$inferInsert)[] {
  const placed = parts.flatMap(({ lines }, index) => lines.map((line) => ({ line, part: index + 1 })));
  return placed.map(({ line, part }, index) => ({
    invoiceId,
    line: index + 1,
    part,
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
  }));
}

/** A stored line as the domain has it. */
export function lineOfRow(row: StoredInvoiceLine, currency: string): InvoiceLine {
  const { planKey, planVersion, priceKey } = row;
  return {
    kind: row.kind,
    earning: row.earning,
    description: row.description,
    product: row.product,
    source:
      planKey === null || planVersion === null || priceKey === null
        ? null
        : { planKey, planVersion, priceKey },
    period: { start: row.periodStart, end: row.periodEnd },
    quantity: row.quantity === null ? null : storedDecimal(row.quantity),
    exactMinor: storedDecimal(row.exactMinor),
    amount: money(row.amountMinor, currency),
    detail: row.detail as InvoiceLine["detail"],
  };
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
      | "status"
      | "paidAt"
      | "amountPaidMinor"
      | "creditedMinor"
      | "stripeInvoiceId"
      | "stripePaymentIntentId"
      | "hostedInvoiceUrl"
      | "collectedBy"
      | "voidingSince"
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

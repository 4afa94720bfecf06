import { and, asc, eq, ne } from "drizzle-orm";
import { instant, type Period } from "../../domain/calendar/index.ts";
import type { AdvanceLine, InvoiceLine } from "../../domain/invoicing/index.ts";
import { currency, decimal, type Money, money, sumMoney } from "../../domain/money/index.ts";
import { sql, type Tx } from "../database.ts";
import { invoice, invoiceLine } from "../schema/billing.ts";
import { invoicePart } from "../schema/invoice-documents.ts";
import { isForTimeIn, isLineOfPart } from "./invoice-parts.ts";
import { linesOfChanges } from "./subscriptions.ts";

/** A line for time in advance, and what its revenue is booked under. */
export type StoredAdvanceLine = AdvanceLine & {
  readonly product: string;
  /** Handed back by a credit note: no invoice has it, and the note has booked it. */
  readonly isReturned?: true;
};

/** What changes have charged and handed back of a subscription's time that no invoice has. */
export interface LinesOfChanges {
  /** For the invoice of the period that is about to close. */
  readonly waiting: readonly InvoiceLine[];
  /** What credit notes gave back of an end. */
  readonly returned: readonly InvoiceLine[];
}

/**
 * All that was charged in advance for a period, handed back lines included: what was invoiced, and what waits for the next
 * invoice. A line that a change made is for the period that it fell into, which its detail names; any other for the period
 * that it begins with.
 */
export async function advanceLinesOf(
  tx: Tx,
  subscriptionId: string,
  { start, end }: Period,
): Promise<StoredAdvanceLine[]> {
  const [invoiced, ofChanges] = await Promise.all([
    invoicedInAdvance(tx, subscriptionId, { start, end }),
    linesOfChanges(tx, subscriptionId),
  ]);
  return advanceLinesAmong(invoiced, ofChanges, { start, end });
}

/** Of lines that were invoiced in advance, and of those that no invoice has, what is for time in a period. */
export function advanceLinesAmong(
  invoiced: readonly StoredAdvanceLine[],
  { waiting, returned }: LinesOfChanges,
  { start, end }: Period,
): StoredAdvanceLine[] {
  const isOfPeriod = (line: AdvanceLine) => {
    const { periodStart } = line.detail;
    const begins = typeof periodStart === "string" ? instant(periodStart) : line.period.start;
    return start <= begins && begins < end;
  };
  return [
    ...invoiced.filter(isOfPeriod),
    ...waiting.filter((line) => line.earning === "deferred" && isOfPeriod(line)),
    ...returned.filter(isOfPeriod).map((line) => ({ ...line, isReturned: true as const })),
  ];
}

/**
 * What was charged in advance for a period, per product, less what invoices handed back: what it earns when it has passed. Against
 * what credit notes gave back stands an account of its own.
 */
export function advanceByProduct(
  charged: readonly StoredAdvanceLine[],
  currencyCode: string,
): { productKey: string; amount: Money }[] {
  const onInvoices = charged.filter(({ isReturned = false }) => !isReturned);
  const byProduct = Map.groupBy(onInvoices, ({ product }) => product);
  return [...byProduct]
    .map(([productKey, lines]) => ({
      productKey,
      amount: sumMoney(
        lines.map(({ amount }) => amount),
        currency(currencyCode),
      ),
    }))
    .filter(({ amount }) => amount.amountMinor !== 0n)
    .toSorted((one, other) => (one.productKey < other.productKey ? -1 : 1));
}

/** What was invoiced in advance for time in a period. */
export async function invoicedInAdvance(
  tx: Tx,
  subscriptionId: string,
  { start, end }: Period,
): Promise<StoredAdvanceLine[]> {
  const credited = sql<string>`coalesce((select sum(taken.amount_minor) from billing.credit_note_line as taken
    join billing.credit_note as note on note.id = taken.credit_note_id
    where (taken.invoice_id, taken.line) = (${invoiceLine.invoiceId}, ${invoiceLine.line})), 0)::text`;
  const found = await tx
    .select({ line: invoiceLine, currency: invoice.currency, credited })
    .from(invoicePart)
    .innerJoin(invoice, eq(invoice.id, invoicePart.invoiceId))
    .innerJoin(invoiceLine, isLineOfPart)
    .where(
      and(
        eq(invoicePart.subscriptionId, subscriptionId),
        ne(invoice.status, "void"),
        eq(invoiceLine.earning, "deferred"),
        isForTimeIn({ start, end }),
      ),
    )
    // As the facts that an invoice keeps have them: they are compared as text.
    .orderBy(asc(invoice.issuedAt), asc(invoice.id), asc(invoiceLine.line));
  return found.map(({ line, currency: code, credited: creditedMinor }) => ({
    kind: line.kind,
    product: line.product,
    source: sourceOf(line),
    quantity: line.quantity === null ? null : decimal(line.quantity),
    period: { start: line.periodStart, end: line.periodEnd },
    amount: money(line.amountMinor, code),
    detail: line.detail as AdvanceLine["detail"],
    creditedMinor: BigInt(creditedMinor),
  }));
}

function sourceOf({
  planKey,
  planVersion,
  priceKey,
}: typeof invoiceLine.$inferSelect): AdvanceLine["source"] {
  return planKey === null || planVersion === null || priceKey === null
    ? null
    : { planKey, planVersion, priceKey };
}

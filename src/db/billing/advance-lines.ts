import { and, eq, ne } from "drizzle-orm";
import { instant, type Period } from "../../domain/calendar/index.ts";
import type { AdvanceLine, InvoiceLine } from "../../domain/invoicing/index.ts";
import { currency, decimal, type Money, money, sumMoney } from "../../domain/money/index.ts";
import { sql, type Tx } from "../database.ts";
import { invoice, invoiceLine } from "../schema/billing.ts";
import { invoicePart } from "../schema/invoice-documents.ts";
import { timestamp } from "../timestamp.ts";
import { isLineOfPart } from "./invoice-parts.ts";
import { waitingChanges } from "./subscriptions.ts";

/** A line for time in advance, and what its revenue is booked under. */
export type StoredAdvanceLine = AdvanceLine & { readonly product: string };

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
  const [invoiced, changes] = await Promise.all([
    invoicedInAdvance(tx, subscriptionId, { start, end }),
    waitingChanges(tx, subscriptionId),
  ]);
  return advanceLinesAmong(
    invoiced,
    changes.flatMap(({ lines }) => lines),
    { start, end },
  );
}

/** Of lines that were invoiced in advance, and of those that wait, what is for time in a period. */
export function advanceLinesAmong(
  invoiced: readonly StoredAdvanceLine[],
  waiting: readonly InvoiceLine[],
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
  ];
}

/** What was charged in advance for a period, per product, less what was handed back: what it earns when it has passed. */
export function advanceByProduct(
  charged: readonly StoredAdvanceLine[],
  currencyCode: string,
): { productKey: string; amount: Money }[] {
  const byProduct = Map.groupBy(charged, ({ product }) => product);
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
  const begins = sql`coalesce((${invoiceLine.detail} ->> 'periodStart')::timestamptz, ${invoiceLine.periodStart})`;
  const found = await tx
    .select({ line: invoiceLine, currency: invoice.currency })
    .from(invoicePart)
    .innerJoin(invoice, eq(invoice.id, invoicePart.invoiceId))
    .innerJoin(invoiceLine, isLineOfPart)
    .where(
      and(
        eq(invoicePart.subscriptionId, subscriptionId),
        ne(invoice.status, "void"),
        eq(invoiceLine.earning, "deferred"),
        sql`${begins} >= ${timestamp(start)} and ${begins} < ${timestamp(end)}`,
      ),
    );
  return found.map(({ line, currency: code }) => ({
    kind: line.kind,
    product: line.product,
    source: sourceOf(line),
    quantity: line.quantity === null ? null : decimal(line.quantity),
    period: { start: line.periodStart, end: line.periodEnd },
    amount: money(line.amountMinor, code),
    detail: line.detail as AdvanceLine["detail"],
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

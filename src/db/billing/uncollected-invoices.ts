import { and, asc, eq, isNull, lte, or } from "drizzle-orm";
import type { Instant } from "../../domain/calendar/index.ts";
import { sql, type Tx } from "../database.ts";
import { customer, invoice } from "../schema/billing.ts";

export interface UncollectedInvoice {
  readonly invoiceId: string;
  readonly customerId: string;
  readonly subscriptionId: string | null;
}

export interface UncollectedQuery {
  /** Of periods: issued by then. */
  readonly cyclesIssuedBy: Instant;
  /** Of everything else, which is collected by whoever issued it: issued by then. */
  readonly othersIssuedBy: Instant;
  readonly limit: number;
}

/** Open invoices that nobody collects, the oldest first; none on test clocks. */
export async function uncollectedInvoices(
  tx: Tx,
  { cyclesIssuedBy, othersIssuedBy, limit }: UncollectedQuery,
): Promise<UncollectedInvoice[]> {
  return await tx
    .select({
      invoiceId: invoice.id,
      customerId: invoice.customerId,
      subscriptionId: invoice.subscriptionId,
    })
    .from(invoice)
    .innerJoin(customer, eq(customer.id, invoice.customerId))
    .where(
      and(
        eq(invoice.status, "open"),
        isNull(invoice.collectedBy),
        isNull(customer.testClockId),
        or(
          lte(invoice.issuedAt, othersIssuedBy),
          and(eq(invoice.kind, "cycle"), lte(invoice.issuedAt, cyclesIssuedBy)),
        ),
      ),
    )
    .orderBy(asc(invoice.issuedAt), asc(invoice.id))
    .limit(limit);
}

/** Says which run collects each invoice, where nobody said so before. */
export async function noteCollectors(
  tx: Tx,
  collectors: readonly { readonly invoiceId: string; readonly collectedBy: string }[],
): Promise<void> {
  if (collectors.length === 0) return;
  await tx.execute(sql`
    update billing.invoice set collected_by = noted."collectedBy"
    from json_to_recordset(${JSON.stringify(collectors)}::text::json) as noted ("invoiceId" text, "collectedBy" text)
    where id = noted."invoiceId" and collected_by is null`);
}

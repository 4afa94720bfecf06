import { and, asc, desc, eq, gt, inArray, ne } from "drizzle-orm";
import type { Period } from "../../domain/calendar/index.ts";
import type { ChargingInvoice } from "../../domain/invoicing/index.ts";
import type { Tx } from "../database.ts";
import { invoice, invoiceLine } from "../schema/billing.ts";
import { invoicePart } from "../schema/invoice-documents.ts";
import { creditableInvoice } from "./credit-notes.ts";
import { isForTimeIn, isLineOfPart } from "./invoice-parts.ts";
import { lineOfRow } from "./invoices.ts";

/** The invoices on which time in a period of a subscription was charged, the newest first, as credit notes meet them. */
export async function chargingInvoices(
  tx: Tx,
  subscriptionId: string,
  { start, end }: Period,
): Promise<ChargingInvoice[]> {
  const found = await tx
    .select({ line: invoiceLine, invoice })
    .from(invoicePart)
    .innerJoin(invoice, eq(invoice.id, invoicePart.invoiceId))
    .innerJoin(invoiceLine, isLineOfPart)
    .where(
      and(
        eq(invoicePart.subscriptionId, subscriptionId),
        ne(invoice.status, "void"),
        inArray(invoiceLine.kind, ["flat", "seats", "proration_charge"]),
        eq(invoiceLine.earning, "deferred"),
        gt(invoiceLine.amountMinor, 0n),
        isForTimeIn({ start, end }),
      ),
    )
    .orderBy(desc(invoice.issuedAt), desc(invoice.id), asc(invoiceLine.line));
  const charging: ChargingInvoice[] = [];
  for (const [invoiceId, lines] of Map.groupBy(found, (each) => each.invoice.id)) {
    const [first] = lines;
    if (first === undefined) continue;
    const charges = lines.map(({ line }) => ({
      line: line.line,
      source: lineOfRow(line, first.invoice.currency).source,
    }));
    charging.push({ invoiceId, invoice: await creditableInvoice(tx, first.invoice), charges });
  }
  return charging;
}

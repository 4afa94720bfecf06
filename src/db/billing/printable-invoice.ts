import { eq } from "drizzle-orm";
import { invariant } from "../../domain/errors.ts";
import type { CustomerToPrint, InvoiceToPrint, TaxLine } from "../../domain/invoicing/document/index.ts";
import type { InvoiceLine } from "../../domain/invoicing/index.ts";
import { currency, money } from "../../domain/money/index.ts";
import type { Tx } from "../database.ts";
import { invoice } from "../schema/billing.ts";
import { issuedCreditNotes } from "./credit-notes.ts";
import { findCustomer } from "./customers.ts";
import { amountsOf } from "./explained-invoice.ts";
import { partsOfInvoice } from "./invoice-parts.ts";
import {
  findInvoice,
  lineOfRow,
  linesOfInvoice,
  type StoredInvoice,
  type StoredInvoiceLine,
} from "./invoices.ts";
import { planVersion } from "./plan-versions.ts";
import { sellerVersion } from "./seller.ts";

/** Everything that is printed of an issued invoice. */
export async function printableInvoice(tx: Tx, stored: StoredInvoice): Promise<InvoiceToPrint> {
  const rows = await linesOfInvoice(tx, stored.id);
  const said = (some: readonly StoredInvoiceLine[]) => some.map((row) => lineOfRow(row, stored.currency));
  const all = said(rows);
  const untaxed = rows.filter(({ kind }) => kind !== "tax");
  const lines = said(untaxed);
  const parts = await partsOfInvoice(tx, stored.id);
  const notes = await issuedCreditNotes(tx, stored.id);
  const { credited, paid, ...amounts } = amountsOf(stored);
  const replaced = stored.replaces === null ? undefined : await findInvoice(tx, stored.replaces);
  const [replacing] = await tx.select().from(invoice).where(eq(invoice.replaces, stored.id));
  const isIncomplete = stored.usageHeldBackBy !== null;
  return {
    ...amounts,
    seller: (await sellerVersion(tx, stored.sellerVersion))?.details ?? null,
    customer: await customerToPrint(tx, stored.customerId),
    planNames: await planNamesOf(tx, lines),
    issued: {
      number: stored.number,
      status: stored.status,
      paidAt: stored.paidAt,
      paid,
      credited,
      creditNotes: notes.map(({ number, issuedAt, totalMinor }) => ({
        number,
        issuedAt,
        amount: money(totalMinor, stored.currency),
      })),
      replaces: replaced?.number ?? null,
      replacedBy: replacing?.number ?? null,
    },
    at: stored.issuedAt,
    period:
      stored.periodStart === null || stored.periodEnd === null
        ? null
        : { start: stored.periodStart, end: stored.periodEnd },
    currency: currency(stored.currency),
    lines,
    parts: parts.map(({ part, subscriptionId, periodStart, periodEnd }) => ({
      subscriptionId,
      period: periodStart === null || periodEnd === null ? null : { start: periodStart, end: periodEnd },
      lines: said(untaxed.filter((row) => row.part === part)),
    })),
    taxLines: taxToPrint(all),
    usageCompleteUntil: isIncomplete ? stored.usageCompleteUntil : null,
  };
}

export async function customerToPrint(tx: Tx, customerId: string): Promise<CustomerToPrint> {
  const customer = await findCustomer(tx, customerId);
  invariant(customer, "a document is for a customer");
  const { id, name, email, timeZone } = customer;
  return { id, name, email, timeZone };
}

/** Tax as it was given, behind what it is on. */
export const taxToPrint = (lines: readonly InvoiceLine[]): TaxLine[] =>
  lines
    .filter(({ kind }) => kind === "tax")
    .map(({ description, amount }) => ({ name: description, amount }));

/** What the plans of these lines are called, in the versions that were sold. */
export async function planNamesOf(
  tx: Tx,
  lines: readonly InvoiceLine[],
): Promise<ReadonlyMap<string, string>> {
  const names = new Map<string, string>();
  for (const { source } of lines) {
    if (source === null || names.has(source.planKey)) continue;
    const plan = await planVersion(tx, source.planKey, source.planVersion);
    names.set(source.planKey, plan?.name ?? source.planKey);
  }
  return names;
}

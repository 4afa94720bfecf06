import { invariant } from "../../domain/errors.ts";
import type { CreditNoteToPrint } from "../../domain/invoicing/document/index.ts";
import { money } from "../../domain/money/index.ts";
import type { Tx } from "../database.ts";
import { linesOfCreditNote, type StoredCreditNote } from "./credit-notes.ts";
import { findInvoice, linesOfInvoice } from "./invoices.ts";
import { customerToPrint } from "./printable-invoice.ts";
import { sellerVersion } from "./seller.ts";

/** Everything that is printed of a credit note; null as long as it is not issued. */
export async function printableCreditNote(tx: Tx, note: StoredCreditNote): Promise<CreditNoteToPrint | null> {
  const { number, issuedAt, lowersDueMinor, toBalanceMinor, currency } = note;
  if (number === null || issuedAt === null) return null;
  const invoice = await findInvoice(tx, note.invoiceId);
  invariant(invoice, "a credit note is of an invoice");
  const billed = await linesOfInvoice(tx, invoice.id);
  const lines = await linesOfCreditNote(tx, note.id);
  return {
    seller: (await sellerVersion(tx, note.sellerVersion))?.details ?? null,
    customer: await customerToPrint(tx, note.customerId),
    number,
    issuedAt,
    invoiceNumber: invoice.number,
    invoiceIssuedAt: invoice.issuedAt,
    reason: note.reason,
    lines: lines.map(({ line, amountMinor }) => ({
      title: billed.find((each) => each.line === line)?.description ?? `Line ${line}`,
      amount: money(amountMinor, currency),
    })),
    total: money(note.totalMinor, currency),
    lowersDue: money(lowersDueMinor ?? 0n, currency),
    toBalance: money(toBalanceMinor ?? 0n, currency),
  };
}

import type { Instant } from "../../calendar/index.ts";
import type { Money } from "../../money/index.ts";
import type { CustomerToPrint } from "./document-of-invoice.ts";
import { sellerParty } from "./document-of-invoice.ts";
import { dayText, moneyText } from "./figures.ts";
import type { DocumentSum, InvoiceDocument } from "./invoice-document.ts";
import type { SellerDetails } from "./seller-details.ts";

/** An issued credit note with all that is printed of it. */
export interface CreditNoteToPrint {
  readonly seller: SellerDetails | null;
  readonly customer: CustomerToPrint;
  readonly number: string;
  readonly issuedAt: Instant;
  readonly invoiceNumber: string;
  readonly invoiceIssuedAt: Instant;
  readonly reason: string | null;
  readonly lines: readonly { readonly title: string; readonly amount: Money }[];
  readonly total: Money;
  readonly lowersDue: Money;
  readonly toBalance: Money;
}

/** The credit note as it is printed. Its amounts are what the customer gets: without a sign. */
export function documentOfCreditNote(note: CreditNoteToPrint): InvoiceDocument {
  const { seller, customer, number, total, lines, reason } = note;
  const { timeZone } = customer;
  return {
    title: "Credit note",
    number,
    state: null,
    seller: seller === null ? null : sellerParty(seller),
    customer: { name: customer.name, lines: [customer.email, `Customer ${customer.id}`] },
    particulars: [
      { name: "Credit note number", text: number },
      { name: "Date of issue", text: dayText(note.issuedAt, timeZone) },
      { name: "Invoice", text: note.invoiceNumber },
      { name: "Date of invoice", text: dayText(note.invoiceIssuedAt, timeZone) },
      { name: "Currency", text: total.currency.toUpperCase() },
    ],
    headline: { name: "Credited", text: moneyText(total) },
    groups: [
      {
        heading: null,
        title: `Lines of invoice ${note.invoiceNumber}`,
        lines: lines.map(({ title, amount }) => ({
          title,
          period: null,
          quantity: null,
          unitPrice: null,
          amount: moneyText(amount),
          tiers: [],
          notes: [],
        })),
        sum: moneyText(total),
      },
    ],
    sums: [
      ...part("Taken off what is due", note.lowersDue),
      ...part("Added to your balance", note.toBalance),
      { name: "Total", amount: moneyText(total), isStrong: true },
    ],
    notes: reason === null ? [] : [`Reason: ${reason}`],
    footer: seller?.footer ?? null,
  };
}

const part = (name: string, amount: Money): DocumentSum[] =>
  amount.amountMinor === 0n ? [] : [{ name, amount: moneyText(amount), isStrong: false }];

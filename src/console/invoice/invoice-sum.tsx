import { isZeroAmount } from "../format/amount.ts";
import { type SumRow, SumTable } from "../parts/sum-table.tsx";
import type { InvoiceDetail } from "../reads/resources.ts";

/** How the total comes from the lines, and what is left of it. */
export function InvoiceSum({ invoice }: { invoice: InvoiceDetail }) {
  const { currency, status, total_minor, amount_paid_minor, credited_minor } = invoice;
  const left = BigInt(total_minor) - BigInt(credited_minor) - BigInt(amount_paid_minor);
  const due = status === "open" ? left : 0n;
  const rows: SumRow[] = [
    { name: "Lines", minor: invoice.subtotal_minor },
    ...unlessZero("Paid from credit", invoice.credits_applied_minor),
    ...(isZeroAmount(invoice.tax_minor) ? [] : [{ name: "Tax", minor: invoice.tax_minor }]),
    ...unlessZero("Customer balance", invoice.balance_applied_minor),
    { name: "Total", minor: total_minor, isStrong: true },
    ...unlessZero("Credit notes", credited_minor),
    { name: "Paid", minor: amount_paid_minor },
    { name: "Due", minor: due.toString(), isStrong: true },
  ];
  return <SumTable label="Sum" currency={currency} rows={rows} />;
}

/** What is taken off, where anything is. */
export const unlessZero = (name: string, minor: string): SumRow[] =>
  isZeroAmount(minor) ? [] : [{ name, minor: (-BigInt(minor)).toString() }];

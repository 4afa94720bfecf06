import { unlessZero } from "../invoice/invoice-sum.tsx";
import { SumTable } from "../parts/sum-table.tsx";
import type { UpcomingInvoice } from "../reads/resources.ts";

/** How the total of a coming invoice comes from its lines. */
export function UpcomingSum({ invoice }: { invoice: UpcomingInvoice }) {
  const { currency, subtotal_minor, credits_applied_minor, balance_applied_minor, total_minor } = invoice;
  return (
    <SumTable
      label="Sum of the coming invoice"
      currency={currency}
      rows={[
        { name: "Lines", minor: subtotal_minor },
        ...unlessZero("Paid from credit", credits_applied_minor),
        ...unlessZero("Customer balance", balance_applied_minor),
        { name: "Total", minor: total_minor, isStrong: true },
      ]}
    />
  );
}

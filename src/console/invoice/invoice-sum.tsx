import { Table } from "@mantine/core";
import type { ReactNode } from "react";
import { isZeroAmount } from "../format/amount.ts";
import { Amount } from "../parts/figures.tsx";
import type { InvoiceDetail } from "../reads/resources.ts";

/** How the total comes from the lines, and what is left of it. */
export function InvoiceSum({ invoice }: { invoice: InvoiceDetail }) {
  const {
    currency,
    subtotal_minor,
    credits_applied_minor,
    balance_applied_minor,
    total_minor,
    amount_paid_minor,
    credited_minor,
  } = invoice;
  const left = BigInt(total_minor) - BigInt(credited_minor) - BigInt(amount_paid_minor);
  const due = invoice.status === "open" ? left : 0n;
  const row = (name: string, minor: string, strong = false): ReactNode => (
    <Table.Tr key={name} fw={strong ? 650 : 400}>
      <Table.Th scope="row" fw="inherit">
        {name}
      </Table.Th>
      <Table.Td ta="end">
        <Amount minor={minor} currency={currency} />
      </Table.Td>
    </Table.Tr>
  );
  return (
    <Table verticalSpacing="xs" horizontalSpacing="md" aria-label="Sum">
      <Table.Tbody>
        {row("Lines", subtotal_minor)}
        {isZeroAmount(credits_applied_minor) ? null : row("Paid from credit", negated(credits_applied_minor))}
        {isZeroAmount(balance_applied_minor) ? null : row("Customer balance", negated(balance_applied_minor))}
        {row("Total", total_minor, true)}
        {isZeroAmount(credited_minor) ? null : row("Credit notes", negated(credited_minor))}
        {row("Paid", amount_paid_minor)}
        {row("Due", due.toString(), true)}
      </Table.Tbody>
    </Table>
  );
}

const negated = (minor: string): string => (-BigInt(minor)).toString();

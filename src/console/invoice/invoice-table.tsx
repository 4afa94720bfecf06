import { Stack, Text } from "@mantine/core";
import { useCustomer } from "../customer/customer-context.ts";
import { wordsFor } from "../format/words.ts";
import { Amount, Day, Nothing, PeriodText } from "../parts/figures.tsx";
import { RowLink } from "../parts/links.tsx";
import { type Column, RecordTable } from "../parts/record-table.tsx";
import { StateBadge } from "../parts/state-badge.tsx";
import type { Invoice } from "../reads/resources.ts";

/** A customer's invoices; each row leads to the invoice. */
export function InvoiceTable({ invoices }: { invoices: readonly Invoice[] }) {
  const { time_zone: timeZone } = useCustomer();
  return (
    <RecordTable label="Invoices" columns={columnsIn(timeZone)} rows={invoices} keyOf={({ id }) => id} />
  );
}

const columnsIn = (timeZone: string): readonly Column<Invoice>[] => [
  {
    header: "Number",
    onPhone: "title",
    cell: ({ id, number, customer, kind }) => (
      <Stack gap={0}>
        <RowLink
          to="/customers/$customerId/invoices/$invoiceId"
          params={{ customerId: customer, invoiceId: id }}
        >
          {number}
        </RowLink>
        <Text size="xs" c="dimmed">
          {wordsFor(kind)}
        </Text>
      </Stack>
    ),
  },
  {
    header: "Period",
    cell: ({ period_start: start, period_end: end }) =>
      start === null || end === null ? (
        <Nothing />
      ) : (
        <PeriodText start={start} end={end} timeZone={timeZone} />
      ),
  },
  { header: "Issued", cell: ({ issued_at }) => <Day at={issued_at} timeZone={timeZone} /> },
  { header: "State", cell: ({ status }) => <StateBadge state={status} /> },
  {
    header: "Total",
    align: "end",
    cell: ({ total_minor, currency }) => <Amount minor={total_minor} currency={currency} fw={600} />,
  },
];

import { Group, Text } from "@mantine/core";
import type { Schemas } from "../../sdk/index.ts";
import { CsvDownload } from "../parts/csv-download.tsx";
import { Amount } from "../parts/figures.tsx";
import { type Column, RecordTable } from "../parts/record-table.tsx";

type TrialBalance = Schemas["TrialBalance"];
type Line = TrialBalance["data"][number];

const columns: readonly Column<Line>[] = [
  {
    header: "Account",
    onPhone: "title",
    cell: ({ code, name }) => (
      <>
        <Text span size="xs" c="dimmed" className="figure">
          {code}
        </Text>{" "}
        {name}
      </>
    ),
  },
  { header: "Currency", cell: ({ currency }) => currency.toUpperCase() },
  {
    header: "Debit",
    align: "end",
    cell: ({ debit_minor, currency }) => <Amount minor={debit_minor} currency={currency} />,
  },
  {
    header: "Credit",
    align: "end",
    cell: ({ credit_minor, currency }) => <Amount minor={credit_minor} currency={currency} />,
  },
  {
    header: "Balance",
    align: "end",
    cell: ({ balance_minor, currency }) => <Amount minor={balance_minor} currency={currency} fw={600} />,
  },
];

/** Every account of the chart; in each currency debits equal credits, or it says that they do not. */
export function TrialBalanceTable({ balance: { data, totals } }: { balance: TrialBalance }) {
  return (
    <>
      <RecordTable
        label="Trial balance"
        columns={columns}
        rows={data}
        keyOf={({ code, currency }) => code + currency}
      />
      <Group justify="space-between" p="sm">
        <Text size="sm" c="dimmed">
          {totals
            .map(
              ({ currency, balanced }) =>
                `${currency.toUpperCase()}: ${balanced ? "debits equal credits" : "debits and credits differ"}`,
            )
            .join(" · ")}
        </Text>
        <CsvDownload
          name="trial-balance"
          header={["currency", "code", "name", "debit_minor", "credit_minor", "balance_minor"]}
          rows={data.map((line) => [
            line.currency,
            line.code,
            line.name,
            line.debit_minor,
            line.credit_minor,
            line.balance_minor,
          ])}
        />
      </Group>
    </>
  );
}

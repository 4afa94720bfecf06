import { Group } from "@mantine/core";
import { wordsFor } from "../format/words.ts";
import { CsvDownload } from "../parts/csv-download.tsx";
import { Amount } from "../parts/figures.tsx";
import { MonthChart } from "../parts/month-chart.tsx";
import { EmptyNotice } from "../parts/notices.tsx";
import { type Column, RecordTable } from "../parts/record-table.tsx";

export interface RevenueRow {
  readonly month: string;
  readonly currency: string;
  readonly code: string;
  readonly name: string;
  readonly product: string | null;
  readonly amount_minor: string;
}

const partOf = ({ name, product }: RevenueRow) => (product === null ? name : `${name}: ${wordsFor(product)}`);

const columns: readonly Column<RevenueRow>[] = [
  { header: "Month", cell: ({ month }) => <span className="figure">{month}</span> },
  { header: "Account", onPhone: "title", cell: (row) => `${row.code} ${partOf(row)}` },
  {
    header: "Earned",
    align: "end",
    cell: ({ amount_minor, currency }) => <Amount minor={amount_minor} currency={currency} />,
  },
];

/** What was earned, straight from the ledger. */
export function RevenueByMonth({ rows }: { rows: readonly RevenueRow[] }) {
  if (rows.length === 0) return <EmptyNotice title="Nothing was earned in these months" />;
  const currencies = [...new Set(rows.map(({ currency }) => currency))];
  return (
    <>
      {currencies.map((currency) => (
        <MonthChart
          key={currency}
          label={`Revenue by month in ${currency.toUpperCase()}`}
          currency={currency}
          rows={rows
            .filter((row) => row.currency === currency)
            .map((row) => ({ month: row.month, part: partOf(row), minor: row.amount_minor }))}
        />
      ))}
      <RecordTable
        label="Revenue by month and product"
        columns={columns}
        rows={rows.toReversed()}
        keyOf={(row) => JSON.stringify(row)}
      />
      <Group justify="flex-end" p="sm">
        <CsvDownload
          name="revenue"
          header={["month", "currency", "code", "name", "product", "amount_minor"]}
          rows={rows.map((row) => [
            row.month,
            row.currency,
            row.code,
            row.name,
            row.product ?? "",
            row.amount_minor,
          ])}
        />
      </Group>
    </>
  );
}

import { Group } from "@mantine/core";
import { counted } from "../format/quantity.ts";
import { CsvDownload } from "../parts/csv-download.tsx";
import { Amount } from "../parts/figures.tsx";
import { type Column, RecordTable } from "../parts/record-table.tsx";

export interface ReceivableBand {
  readonly currency: string;
  readonly age_days: string;
  readonly invoices: number;
  readonly due_minor: string;
}

const bandNames: Readonly<Record<string, string>> = {
  "0-30": "Up to 30 days",
  "31-60": "31 to 60 days",
  "61-90": "61 to 90 days",
  "over-90": "Over 90 days",
};

const columns: readonly Column<ReceivableBand>[] = [
  { header: "Since issue", onPhone: "title", cell: ({ age_days }) => bandNames[age_days] ?? age_days },
  { header: "Currency", cell: ({ currency }) => currency.toUpperCase() },
  { header: "Open", align: "end", cell: ({ invoices }) => counted(invoices, "invoice") },
  {
    header: "Left to pay",
    align: "end",
    cell: ({ due_minor, currency }) => <Amount minor={due_minor} currency={currency} fw={600} />,
  },
];

export function ReceivablesTable({ bands }: { bands: readonly ReceivableBand[] }) {
  return (
    <>
      <RecordTable
        label="Receivables by age"
        columns={columns}
        rows={bands}
        keyOf={({ currency, age_days }) => currency + age_days}
      />
      <Group justify="flex-end" p="sm">
        <CsvDownload
          name="receivables"
          header={["currency", "age_days", "invoices", "due_minor"]}
          rows={bands.map((band) => [band.currency, band.age_days, String(band.invoices), band.due_minor])}
        />
      </Group>
    </>
  );
}

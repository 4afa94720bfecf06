import { Table } from "@mantine/core";
import { Amount } from "./figures.tsx";

export interface SumRow {
  readonly name: string;
  readonly minor: string;
  readonly isStrong?: boolean;
}

/** Amounts that add up, one below the other. */
export function SumTable({
  label,
  currency,
  rows,
}: {
  label: string;
  currency: string;
  rows: readonly SumRow[];
}) {
  return (
    <Table verticalSpacing="xs" horizontalSpacing="md" aria-label={label}>
      <Table.Tbody>
        {rows.map(({ name, minor, isStrong = false }) => (
          <Table.Tr key={name} fw={isStrong ? 650 : 400}>
            <Table.Th scope="row" fw="inherit">
              {name}
            </Table.Th>
            <Table.Td ta="end">
              <Amount minor={minor} currency={currency} />
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

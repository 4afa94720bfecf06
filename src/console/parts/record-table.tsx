import { Table } from "@mantine/core";
import type { ReactNode } from "react";
import classes from "./record-table.module.css";

export interface Column<Row> {
  readonly header: string;
  readonly cell: (row: Row) => ReactNode;
  /** Figures are aligned at their end. */
  readonly align?: "end";
  /** On a phone each row becomes a card: its title stands alone at the top, a hidden column is left out. */
  readonly onPhone?: "title" | "hidden";
}

interface RecordTableProps<Row> {
  /** Said to those who cannot see what the table is about. */
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  /** More about a row, on a line of its own below it. */
  readonly below?: (row: Row) => ReactNode;
}

/** Rows of records: a table where there is room, cards on a phone. The roles keep it a table for screen readers in both. */
export function RecordTable<Row>({ label, columns, rows, keyOf, below }: RecordTableProps<Row>) {
  return (
    <div className={classes.scroll}>
      <Table
        className={classes.table}
        role="table"
        aria-label={label}
        verticalSpacing="sm"
        horizontalSpacing="md"
      >
        <Table.Thead role="rowgroup">
          <Table.Tr role="row">
            {columns.map(({ header, align }) => (
              <Table.Th key={header} role="columnheader" scope="col" data-align={align}>
                {header}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody role="rowgroup">
          {rows.map((row) => (
            <RecordRow key={keyOf(row)} columns={columns} row={row} below={below?.(row)} />
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}

function RecordRow<Row>({
  columns,
  row,
  below,
}: {
  columns: readonly Column<Row>[];
  row: Row;
  below: ReactNode;
}) {
  return (
    <>
      <Table.Tr role="row" className={classes.row}>
        {columns.map(({ header, cell, align, onPhone }) => (
          <Table.Td key={header} role="cell" data-label={header} data-align={align} data-on-phone={onPhone}>
            {cell(row)}
          </Table.Td>
        ))}
      </Table.Tr>
      {below ? (
        <Table.Tr role="row" className={classes.below}>
          <Table.Td role="cell" colSpan={columns.length}>
            {below}
          </Table.Td>
        </Table.Tr>
      ) : null}
    </>
  );
}

import { getTableColumns } from "drizzle-orm";
import type { PgTable } from "drizzle-orm/pg-core";

/** A row as `row_to_json` writes it, as a select gives it. Not of a table with numbers that are larger or finer than JavaScript's. */
export function rowOfJson<Table extends PgTable>(
  table: Table,
  json: Readonly<Record<string, unknown>>,
): Table["$inferSelect"] {
  const values = Object.entries(getTableColumns(table)).map(([key, column]) => {
    const value = json[column.name];
    return [key, value === null || value === undefined ? null : column.mapFromDriverValue(value)];
  });
  return Object.fromEntries(values) as Table["$inferSelect"];
}

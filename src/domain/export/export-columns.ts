import { csvLine, harmlessText } from "./csv.ts";

/** A column of an export: what it is called in the header and in JSON, and what a row has in it. Null is an empty cell. */
export interface ExportColumn<Row> {
  readonly name: string;
  /**
   * `figure`: made by us of digits, points and the letters of dates, so it is written as it is, a minus included.
   * `text`: may hold anything.
   */
  readonly type: "figure" | "text";
  readonly of: (row: Row) => string | null;
}

export const figure = <Row>(name: string, of: ExportColumn<Row>["of"]): ExportColumn<Row> => {
  return { name, type: "figure", of };
};

export const text = <Row>(name: string, of: ExportColumn<Row>["of"]): ExportColumn<Row> => {
  return { name, type: "text", of };
};

/** The first line of a CSV file. */
export function csvHeader(columns: readonly ExportColumn<never>[]): string {
  return csvLine(columns.map(({ name }) => name));
}

/** A row as a line of CSV; its texts are made harmless for spreadsheets. */
export function csvRow<Row>(columns: readonly ExportColumn<Row>[], row: Row): string {
  return csvLine(
    columns.map(({ type, of }) => {
      const cell = of(row) ?? "";
      return type === "text" ? harmlessText(cell) : cell;
    }),
  );
}

/** A row as a line of JSON Lines; its texts are as they are stored. */
export function jsonLine<Row>(columns: readonly ExportColumn<Row>[], row: Row): string {
  return `${JSON.stringify(Object.fromEntries(columns.map(({ name, of }) => [name, of(row)])))}\n`;
}

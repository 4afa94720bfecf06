import { paint, tableText } from "./terminal.ts";

/** An answer of the API for people: a line for each field, a table for each list. */
export function answerText(answer: object): string {
  const fields = Object.entries(answer);
  const short = fields.filter(([, value]) => !isTable(value) && !isEmptyList(value));
  const width = Math.max(0, ...short.map(([name]) => words(name).length));
  const lines = short.map(
    ([name, value]) => `${paint("dim", words(name).padEnd(width))}  ${cellText(value)}`,
  );
  const tables = fields.flatMap(([name, value]) =>
    isTable(value) ? ["", paint("bold", words(name)), rowsText(value)] : [],
  );
  return [...lines, ...tables].join("\n").replace(/^\n/, "");
}

type Row = Readonly<Record<string, unknown>>;

function rowsText(rows: readonly Row[]): string {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return tableText(
    names.map(words),
    rows.map((row) => names.map((name) => cellText(row[name]))),
  );
}

const words = (name: string): string => name.replaceAll("_", " ");

function isTable(value: unknown): value is readonly Row[] {
  return (
    Array.isArray(value) && value.length > 0 && value.every((row) => typeof row === "object" && row !== null)
  );
}

const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

function cellText(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (Array.isArray(value)) return value.map(cellText).join(", ");
  if (typeof value !== "object") return String(value);
  return Object.entries(value)
    .map(([name, field]) => `${words(name)} ${cellText(field)}`)
    .join(", ");
}

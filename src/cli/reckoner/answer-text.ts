import { paint, tableText } from "./terminal.ts";

type Row = Readonly<Record<string, unknown>>;

/** An answer of the API for people: a line for each field, then a table for each list, lists within rows below their own. */
export function answerText(answer: object): string {
  const fields = Object.entries(answer);
  const short = fields.filter(([, value]) => !isTable(value) && !isEmptyList(value));
  const width = Math.max(0, ...short.map(([name]) => words(name).length));
  const lines = short.map(
    ([name, value]) => `${paint("dim", words(name).padEnd(width))}  ${cellText(value)}`,
  );
  const tables = fields.flatMap(([name, value]) => (isTable(value) ? tablesOf(words(name), value) : []));
  return [...(lines.length === 0 ? [] : [lines.join("\n")]), ...tables].join("\n\n");
}

/** The rows with what they say in short, then what they list, each with the place of its row. */
function tablesOf(title: string, rows: readonly Row[]): string[] {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const listed = names.filter((name) => rows.some((row) => isTable(row[name])));
  const short = names.filter((name) => !listed.includes(name));
  const cells = rows.map((row) => short.map((name) => cellText(row[name])));
  const nested = listed.flatMap((name) => {
    const inner = rows.flatMap((row, place) =>
      rowsIn(row[name]).map((each) => ({ [title]: place, ...each })),
    );
    return tablesOf(`${title}: ${words(name)}`, inner);
  });
  return [`${paint("bold", title)}\n${tableText(short.map(words), cells)}`, ...nested];
}

const rowsIn = (value: unknown): readonly Row[] => (isTable(value) ? value : []);

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
    .map(([name, field]) => `${name} ${cellText(field)}`)
    .join(", ");
}

import { createInterface } from "node:readline/promises";
import { styleText } from "node:util";

type Style = Parameters<typeof styleText>[0];

/** Colour where the output is a terminal that shows it; NO_COLOR and FORCE_COLOR are heeded. */
export const paint = (style: Style, text: string): string =>
  styleText(style, text, { stream: process.stdout });

/** Columns as wide as they must be; numbers to the right. */
export function tableText(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? "").length)),
  );
  const isNumeric = head.map((_, column) => rows.every((row) => /^(-?[\d.]+)?$/.test(row[column] ?? "")));
  const lineOf = (row: readonly string[]) =>
    widths
      .map((width, column) => {
        const cell = row[column] ?? "";
        return isNumeric[column] === true ? cell.padStart(width) : cell.padEnd(width);
      })
      .join("  ")
      .trimEnd();
  return [paint("bold", lineOf(head)), ...rows.map(lineOf)].join("\n");
}

/** Asks the person at the terminal; no answer is no. Null where nobody can be asked. */
export async function confirmed(question: string): Promise<boolean | null> {
  if (!process.stdin.isTTY) return null;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}

import { readFileSync } from "node:fs";

/** The cells of every row of the tables of a document whose header is exactly this. */
export function tableRows(document: string, header: readonly string[]): string[][] {
  const text = readFileSync(new URL(`../../docs/${document}`, import.meta.url), "utf8");
  const line = `| ${header.join(" | ")} |\n`;
  return text
    .split(line)
    .slice(1)
    .flatMap((after) => {
      const table = after.split("\n\n")[0] ?? "";
      const rows = table.split("\n").slice(1);
      return rows
        .filter((row) => row.startsWith("| "))
        .map((row) =>
          row
            .slice(2, -2)
            .split(" | ")
            .map((cell) => cell.trim()),
        );
    });
}

/** Cents of an amount as a document shows it: "−13.33". */
export function centsOf(amount: string): bigint {
  const cents = BigInt(amount.replace("−", "").replace(".", ""));
  return amount.startsWith("−") ? -cents : cents;
}

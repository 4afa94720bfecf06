import { parseArgs } from "node:util";
import { configurationOrExit, loadProofConfig } from "../config.ts";
import { openDatabase } from "../db/database.ts";
import { BillingError } from "../domain/errors.ts";
import type { CodeSums } from "../domain/export/journal-sums.ts";
import { accountingMonth } from "../domain/ledger/accounting-month.ts";
import { chartAccount, isAccountCode } from "../domain/ledger/index.ts";
import { majorText } from "../domain/money/index.ts";
import { type JournalFile, writeJournalFile } from "./journal-file.ts";

/**
 * `npm run ledger:export -- --month 2026-01 --format csv --out journal.csv`: writes the journal of a month for an
 * accounting system, shows what it comes to, and ends with 1 when that is not what the trial balance says.
 */
const journal = argumentsOrExit();
const { database } = configurationOrExit(loadProofConfig);
const db = openDatabase({ ...database, poolSize: 1, applicationName: "reckoner-export-journal" });
try {
  const { postings, sums, differences } = await writeJournalFile(db, journal, shownProgress());
  for (const line of sumLines(sums)) console.log(line);
  if (differences.length === 0) {
    console.log(`${journal.path}: ${postings} postings of ${journal.month}, as in its trial balance.`);
  } else {
    for (const difference of differences) console.log(difference);
    console.log(`The rows do not come to the trial balance of ${journal.month}: see ${journal.path}.part.`);
    process.exitCode = 1;
  }
} finally {
  await db.close();
}

function argumentsOrExit(): JournalFile {
  try {
    const { values } = parseArgs({
      options: { month: { type: "string" }, format: { type: "string" }, out: { type: "string" } },
    });
    const { month = "", format = "csv", out: path = "" } = values;
    if (format !== "csv" && format !== "jsonl")
      throw new TypeError(`--format is csv or jsonl, not ${format}`);
    if (path === "") throw new TypeError("--out says which file to write");
    return { month: accountingMonth(month, "--month"), format, path };
  } catch (error) {
    if (!(error instanceof BillingError || error instanceof TypeError)) throw error;
    console.error(error.message);
    console.error("npm run ledger:export -- --month 2026-01 [--format csv|jsonl] --out FILE");
    process.exit(2);
  }
}

/** One line that changes on a terminal, else a line every few seconds. */
function shownProgress() {
  const secondsBetweenLines = 5;
  const { isTTY } = process.stderr;
  let shownAt = performance.now();
  return (written: number, all: number) => {
    const line = `${written} of ${all} postings`;
    if (isTTY) {
      process.stderr.write(`\r${line}${written === all ? "\n" : ""}`);
    } else if (performance.now() - shownAt >= secondsBetweenLines * 1_000) {
      shownAt = performance.now();
      process.stderr.write(`${line}\n`);
    }
  };
}

function sumLines(sums: readonly CodeSums[]): string[] {
  const rows = sums.map(({ currency, code, debit, credit }) => [
    currency,
    code,
    isAccountCode(code) ? chartAccount(code).name : "",
    majorText(debit, currency),
    majorText(credit, currency),
  ]);
  const table = [["", "code", "account", "debit", "credit"], ...rows];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  return table.map((row) =>
    row
      .map((cell, column) =>
        column > 2 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd(),
  );
}

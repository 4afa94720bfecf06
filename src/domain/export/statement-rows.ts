import { type Instant, isoOf } from "../calendar/index.ts";
import { type Currency, type LedgerSum, majorText, minorText } from "../money/index.ts";
import { csvHeader, csvRow, type ExportColumn, figure, text } from "./export-columns.ts";

/** What one posting did to a customer's account. */
export interface StatementLine {
  readonly entryId: bigint;
  /** The posting's place in its entry. */
  readonly line: number;
  /** The account's key. */
  readonly account: string;
  /** Counts the account's lines from 1 in the order in which they were recorded, without gaps. */
  readonly version: bigint;
  readonly occurredAt: Instant;
  readonly effectiveAt: Instant;
  readonly recordedAt: Instant;
  readonly kind: string;
  readonly sourceKey: string;
  readonly cause: { readonly type: string; readonly id: string };
  readonly invoiceId: string | null;
  /** Positive on the account's normal side. */
  readonly change: LedgerSum;
  /** The statement's balance after this line. */
  readonly balance: LedgerSum;
}

/** A statement's file begins with what there was, ends with what there is, and has every change between. */
interface StatementRow {
  readonly row: "opening" | "line" | "closing";
  readonly currency: Currency;
  readonly balance: LedgerSum;
  readonly of: StatementLine | null;
}

/** A cell that only lines have. */
const ofLine = (cell: (line: StatementLine) => string | null) => (row: StatementRow) =>
  row.of === null ? null : cell(row.of);

/** The columns in their order. Names and meanings are kept: imports rely on them. */
const statementColumns: readonly ExportColumn<StatementRow>[] = [
  figure("row", ({ row }) => row),
  figure(
    "entry_id",
    ofLine(({ entryId }) => entryId.toString()),
  ),
  figure(
    "line",
    ofLine(({ line }) => line.toString()),
  ),
  text(
    "account",
    ofLine(({ account }) => account),
  ),
  figure(
    "version",
    ofLine(({ version }) => version.toString()),
  ),
  figure(
    "occurred_at",
    ofLine(({ occurredAt }) => isoOf(occurredAt)),
  ),
  figure(
    "effective_at",
    ofLine(({ effectiveAt }) => isoOf(effectiveAt)),
  ),
  figure(
    "recorded_at",
    ofLine(({ recordedAt }) => isoOf(recordedAt)),
  ),
  text(
    "kind",
    ofLine(({ kind }) => kind),
  ),
  text(
    "source_key",
    ofLine(({ sourceKey }) => sourceKey),
  ),
  text(
    "cause_type",
    ofLine(({ cause }) => cause.type),
  ),
  text(
    "cause_id",
    ofLine(({ cause }) => cause.id),
  ),
  text(
    "invoice",
    ofLine(({ invoiceId }) => invoiceId),
  ),
  figure("currency", ({ currency }) => currency),
  figure("amount", ({ of, currency }) => of && majorText(of.change, currency)),
  figure("balance", ({ balance, currency }) => majorText(balance, currency)),
  figure("amount_minor", ({ of }) => of && minorText(of.change)),
  figure("balance_minor", ({ balance }) => minorText(balance)),
];

/** The header and the first row: the balance before the first line. */
export function statementHead(currency: Currency, opening: LedgerSum): string {
  const row: StatementRow = { row: "opening", currency, balance: opening, of: null };
  return csvHeader(statementColumns) + csvRow(statementColumns, row);
}

export function statementLines(currency: Currency, lines: readonly StatementLine[]): string {
  return lines
    .map((line) => csvRow(statementColumns, { row: "line", currency, balance: line.balance, of: line }))
    .join("");
}

/** The last row: the balance after the last line. */
export function statementFoot(currency: Currency, closing: LedgerSum): string {
  return csvRow(statementColumns, { row: "closing", currency, balance: closing, of: null });
}

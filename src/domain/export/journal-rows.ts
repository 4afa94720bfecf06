import { type Instant, isoOf } from "../calendar/index.ts";
import { type Currency, type LedgerAmount, majorText, minorText } from "../money/index.ts";
import { csvHeader, csvRow, type ExportColumn, figure, jsonLine, text } from "./export-columns.ts";

/** One posting with what its entry says about it. */
export interface JournalRow {
  readonly entryId: bigint;
  /** Counts the entry's postings from 1. */
  readonly line: number;
  readonly occurredAt: Instant;
  readonly effectiveAt: Instant;
  readonly recordedAt: Instant;
  readonly kind: string;
  readonly sourceKey: string;
  readonly cause: { readonly type: string; readonly id: string };
  readonly customerId: string | null;
  readonly invoiceId: string | null;
  readonly currency: Currency;
  /** The accounts by their keys, such as `1100/usd/customer=acme`. */
  readonly debit: string;
  readonly credit: string;
  /** Always positive. */
  readonly amount: LedgerAmount;
}

/** The columns of the journal for an accounting system, in their order. Names and meanings are kept: imports rely on them. */
export const journalColumns: readonly ExportColumn<JournalRow>[] = [
  figure("entry_id", ({ entryId }) => entryId.toString()),
  figure("line", ({ line }) => line.toString()),
  figure("occurred_at", ({ occurredAt }) => isoOf(occurredAt)),
  figure("effective_at", ({ effectiveAt }) => isoOf(effectiveAt)),
  figure("recorded_at", ({ recordedAt }) => isoOf(recordedAt)),
  text("kind", ({ kind }) => kind),
  text("source_key", ({ sourceKey }) => sourceKey),
  text("cause_type", ({ cause }) => cause.type),
  text("cause_id", ({ cause }) => cause.id),
  text("customer", ({ customerId }) => customerId),
  text("invoice", ({ invoiceId }) => invoiceId),
  figure("currency", ({ currency }) => currency),
  figure("debit_code", ({ debit }) => codeOf(debit)),
  text("debit_account", ({ debit }) => debit),
  figure("credit_code", ({ credit }) => codeOf(credit)),
  text("credit_account", ({ credit }) => credit),
  figure("amount", ({ amount, currency }) => majorText(amount, currency)),
  figure("amount_minor", ({ amount }) => minorText(amount)),
];

/** The code an account's key begins with. */
const codeOf = (accountKey: string): string => accountKey.slice(0, accountKey.indexOf("/"));

export type JournalFormat = "csv" | "jsonl";

/** What a file of this format begins with. */
export const journalHead = (format: JournalFormat): string =>
  format === "csv" ? csvHeader(journalColumns) : "";

/** Postings as lines of the file. */
export function journalLines(format: JournalFormat, rows: readonly JournalRow[]): string {
  const lineOf = format === "csv" ? csvRow<JournalRow> : jsonLine<JournalRow>;
  return rows.map((row) => lineOf(journalColumns, row)).join("");
}

import type { JournalEntryDraft } from "../../domain/ledger/index.ts";
import { rows, sql, type Tx } from "../database.ts";
import { insertedInto, insertOf, rowsJson } from "../insert-rows.ts";
import {
  batchText,
  entryText,
  type PostedRow,
  type PostingResult,
  postingResults,
} from "../ledger/ledger.ts";
import { invoiceLine, invoice as invoiceTable, ratedUsage, ratingRun } from "../schema/billing.ts";
import { creditDraw } from "../schema/credit-grants.ts";
import { invoiceFacts } from "../schema/invoice-documents.ts";
import { ratedAdjustment } from "../schema/pricing.ts";
import { seriesOf } from "./document-numbers.ts";
import { drawRows, type InvoiceToStore, invoiceRow, lineRows } from "./invoices.ts";
import { adjustmentRows } from "./rated-adjustments.ts";
import { type RunToStore, ratedRows, runRow } from "./rating-runs.ts";
import { currentSeller, type StoredSeller } from "./seller.ts";

/** What is written together: an invoice, the ratings that it bills, and what is booked for it. */
export interface IssuedRows {
  /** Null where there is nothing to invoice, and still something to book or to keep. */
  readonly invoice: InvoiceToStore | null;
  readonly runs: readonly RunToStore[];
  readonly entries: readonly JournalEntryDraft[];
  /** Who sells, where that was read before; else it is read. */
  readonly seller?: StoredSeller | null | undefined;
}

const { target, names } = insertedInto(invoiceTable);
/** The row says what its number begins with. */
const issuedInvoice = sql.raw(`insert into ${target} (${names})
  select ${names.replace('"number"', '"number" || counted.digits')} from counted cross join json_populate_recordset(null::${target},`);

/**
 * Stores an issued invoice with its lines, its draws and the facts that decided it under the next number of its series, the ratings
 * behind it, and its entries: in one statement, as each statement costs more than the rows that it writes. The number is taken
 * last, as whoever wants the next one of the series waits from then on until this transaction ends. The caller holds the
 * customer's lock.
 * @returns what became of each entry; an invoice is stored whatever that is, so a refused entry is to end the transaction
 */
export async function insertIssued(
  tx: Tx,
  { invoice, runs, entries, seller }: IssuedRows,
): Promise<PostingResult[]> {
  const sold = seller === undefined && invoice !== null ? await currentSeller(tx) : (seller ?? undefined);
  const series = invoice === null ? null : seriesOf(sold, "invoice", invoice);
  const numbered =
    invoice === null || series === null
      ? []
      : [{ ...invoiceRow(invoice), number: series.start, sellerVersion: sold?.version ?? null }];
  const batch = batchText(entries.map((entry) => entryText(entry, "reckoner")));
  // The parts of a statement that nothing asks for are run when the rest is done, the first one last.
  const posted = await rows<PostedRow>(
    tx,
    sql`with counted as (
        insert into billing.number_series as counting (series, last_number)
        select asked.series, 1 from (select ${series?.series ?? null}::text as series) as asked where asked.series is not null
        on conflict (series) do update set last_number = counting.last_number + 1
        returning lpad(last_number::text, greatest(${series?.digitsMin ?? 0}::int, length(last_number::text)), '0') as digits
      ), issued as (${issuedInvoice} ${rowsJson(invoiceTable, numbered)}::text::json)
      ), lines as (${insertOf(invoiceLine, invoice === null ? [] : lineRows(invoice.id, invoice.lines))}
      ), draws as (${insertOf(creditDraw, invoice === null ? [] : drawRows(invoice.id, invoice.totals, invoice.issuedAt))}
      ), facts as (${insertOf(invoiceFacts, factsRows(invoice))}
      ), runs as (${insertOf(ratingRun, runs.map(runRow))}
      ), rated as (${insertOf(ratedUsage, runs.flatMap(ratedRows))}
      ), adjusted as (${insertOf(ratedAdjustment, runs.flatMap(adjustmentRows))}
      )
      select ordinal, status, entry_id from ledger.post_entries(${batch}::jsonb) order by ordinal`,
  );
  return postingResults(entries, posted);
}

const factsRows = (invoice: InvoiceToStore | null): (typeof invoiceFacts.$inferInsert)[] =>
  invoice?.facts === undefined ? [] : [{ invoiceId: invoice.id, facts: invoice.facts }];

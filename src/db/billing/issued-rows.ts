import type { SQL } from "drizzle-orm";
import type { Instant } from "../../domain/calendar/index.ts";
import type { DocumentSeries } from "../../domain/invoicing/document/index.ts";
import type { JournalEntryDraft } from "../../domain/ledger/index.ts";
import { askedTogether } from "../asked-together.ts";
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
import { invoicePart } from "../schema/invoice-documents.ts";
import { ratedAdjustment } from "../schema/pricing.ts";
import { seriesOf } from "./document-numbers.ts";
import { partRows } from "./invoice-parts.ts";
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
  /** Where subscriptions go on from when their periods are closed. */
  readonly movedOn?: readonly MovedOn[] | undefined;
}

export interface MovedOn {
  readonly subscriptionId: string;
  readonly billedThrough: Instant;
  /** Null: nothing is left to close. */
  readonly nextCloseAt: Instant | null;
}

/**
 * Stores an issued invoice with its parts and the facts that decided them, its lines and its draws under the next number of its series, the ratings
 * behind it, and its entries: in one statement, also of several periods that are closed together. Numbers are taken
 * last, as whoever wants the next one of a series waits from then on until this transaction ends. The caller holds the
 * customer's lock.
 * @returns what became of each entry; an invoice is stored whatever that is, so a refused entry is to end the transaction
 */
export const insertIssued = askedTogether(insertAll);

async function insertAll(tx: Tx, all: readonly IssuedRows[]): Promise<PostingResult[][]> {
  const invoices = all.flatMap(({ invoice }) => invoice ?? []);
  const runs = all.flatMap((rows) => rows.runs);
  const entries = all.flatMap((rows) => rows.entries);
  const numbered = await numberedInvoices(tx, all);
  const moved = all.flatMap(({ movedOn }) => movedOn ?? []);
  const batch = batchText(entries.map((entry) => entryText(entry, "reckoner")));
  // The parts of a statement that nothing asks for are run when the rest is done, the first one last.
  const posted = await rows<PostedRow>(
    tx,
    sql`with issued as (${issuedInvoices(numbered)}
      ), parts as (${insertOf(
        invoicePart,
        invoices.flatMap(({ id, parts }) => partRows(id, parts)),
      )}
      ), lines as (${insertOf(
        invoiceLine,
        invoices.flatMap(({ id, parts }) => lineRows(id, parts)),
      )}
      ), draws as (${insertOf(
        creditDraw,
        invoices.flatMap(({ id, totals, issuedAt }) => drawRows(id, totals, issuedAt)),
      )}
      ), runs as (${insertOf(ratingRun, runs.map(runRow))}
      ), rated as (${insertOf(ratedUsage, runs.flatMap(ratedRows))}
      ), adjusted as (${insertOf(ratedAdjustment, runs.flatMap(adjustmentRows))}
      ), moved as (
        update billing.subscription set billed_through = onward.billed_through, next_close_at = onward.next_close_at,
          close_waits_for = null
        from json_to_recordset(${JSON.stringify(moved.map(movedRow))}::text::json)
          as onward (id text, billed_through timestamptz, next_close_at timestamptz)
        where subscription.id = onward.id
      )
      select ordinal, status, entry_id from ledger.post_entries(${batch}::jsonb) order by ordinal`,
  );
  const results = postingResults(entries, posted);
  let place = 0;
  return all.map((rows) => {
    const from = place;
    place += rows.entries.length;
    return results.slice(from, place);
  });
}

interface NumberedInvoice {
  readonly row: typeof invoiceTable.$inferInsert;
  readonly series: DocumentSeries;
}

/** The row says what its number begins with; the count of its series is still to come. */
async function numberedInvoices(tx: Tx, all: readonly IssuedRows[]): Promise<NumberedInvoice[]> {
  const known = all.find(({ seller }) => seller !== undefined)?.seller;
  const seller = known === undefined ? await currentSeller(tx) : (known ?? undefined);
  return all.flatMap(({ invoice }) => {
    if (invoice === null) return [];
    const series = seriesOf(seller, "invoice", invoice);
    const numbered = { number: series.start, sellerVersion: seller?.version ?? null };
    return [{ row: { ...invoiceRow(invoice), ...numbered }, series }];
  });
}

const { target, names } = insertedInto(invoiceTable);
const counted = names.replace('"number"', '"number" || billing.next_count(series, digits_min)');

function issuedInvoices(numbered: readonly NumberedInvoice[]): SQL {
  const series = numbered.map((each) => ({
    id: each.row.id,
    series: each.series.series,
    digits_min: each.series.digitsMin,
  }));
  const given = rowsJson(
    invoiceTable,
    numbered.map(({ row }) => row),
  );
  return sql`${sql.raw(`insert into ${target} (${names}) select ${counted} from json_populate_recordset(null::${target},`)}
    ${given}::text::json) join json_to_recordset(${JSON.stringify(series)}::text::json)
      as counting (id text, series text, digits_min int) using (id)`;
}

const movedRow = ({ subscriptionId, billedThrough, nextCloseAt }: MovedOn) => ({
  id: subscriptionId,
  billed_through: new Date(billedThrough).toISOString(),
  next_close_at: nextCloseAt === null ? null : new Date(nextCloseAt).toISOString(),
});

import type { JournalRow } from "../../domain/export/journal-rows.ts";
import { type AccountingMonth, periodOfMonth } from "../../domain/ledger/accounting-month.ts";
import type { AccountCode } from "../../domain/ledger/index.ts";
import { type Currency, type LedgerSum, ledgerAmount, ledgerSum } from "../../domain/money/index.ts";
import { rows, sql, type Tx } from "../database.ts";
import { parseTimestamp } from "../schema/columns.ts";
import { inRange } from "./ledger-turnover.ts";

/** The condition on `ledger.journal_entry as entry`: an entry belongs to the month in which it is effective. */
function inMonth(month: AccountingMonth) {
  const { start, end } = periodOfMonth(month);
  return inRange({ effectiveFrom: start, effectiveBefore: end });
}

const postingsPerPage = 1_000;

/**
 * All postings of a month in the order of entry and line, a page at a time: only one is in memory.
 * @param tx one snapshot: pages are read one after the other, as slowly as the reader takes them
 */
export async function* journalPages(
  tx: Tx,
  month: AccountingMonth,
  pageSize = postingsPerPage,
): AsyncGenerator<readonly JournalRow[]> {
  const ids = await idsOf(tx, month);
  if (ids === undefined) return;
  let last = { entry_id: ids.first, line: 0 };
  for (;;) {
    const scanned = await postingsAfter(tx, month, last, ids.last, pageSize);
    const page = scanned.filter(isInMonth).map(journalRow);
    if (page.length > 0) yield page;
    if (scanned.length < pageSize) return;
    last = scanned.at(-1) ?? last;
  }
}

/**
 * The next postings, also those of other months, which have nothing but their place: limiting before joining keeps every
 * page a walk along the primary key, whatever the planner believes of the dates.
 */
function postingsAfter(
  tx: Tx,
  month: AccountingMonth,
  last: { readonly entry_id: bigint; readonly line: number },
  lastEntry: bigint,
  limit: number,
): Promise<ScannedPosting[]> {
  return rows<ScannedPosting>(
    tx,
    sql`select posting.entry_id, posting.line, entry.occurred_at, entry.effective_at, entry.recorded_at, entry.kind,
          entry.source_key, entry.cause_type, entry.cause_id, entry.customer_id,
          entry.metadata ->> 'invoice_id' as invoice_id, posting.currency,
          debited.key as debit, credited.key as credit, posting.amount
        from (
          select entry_id, line, currency, debit_account, credit_account, amount from ledger.posting
          where (entry_id, line) > (${last.entry_id}, ${last.line}) and entry_id between ${last.entry_id} and ${lastEntry}
          order by entry_id, line limit ${limit}
        ) as posting
        left join ledger.journal_entry as entry on entry.id = posting.entry_id and ${inMonth(month)}
        left join ledger.account as debited on debited.id = posting.debit_account and entry.id is not null
        left join ledger.account as credited on credited.id = posting.credit_account and entry.id is not null
        order by posting.entry_id, posting.line`,
  );
}

/** The ids a month's entries lie between: nearly all of one month are recorded one after the other. */
async function idsOf(tx: Tx, month: AccountingMonth) {
  // "offset 0" keeps the planner from walking all ids to the first that fits: the dates are indexed, by blocks.
  const [found] = await rows<{ first: bigint | null; last: bigint | null }>(
    tx,
    sql`select min(id) as first, max(id) as last
        from (select entry.id from ledger.journal_entry as entry where ${inMonth(month)} offset 0) as of_month`,
  );
  const { first, last } = found ?? { first: null, last: null };
  return first === null || last === null ? undefined : { first, last };
}

type PostingOfMonth = Record<
  | "occurred_at"
  | "effective_at"
  | "recorded_at"
  | "kind"
  | "source_key"
  | "cause_type"
  | "cause_id"
  | "debit"
  | "credit"
  | "amount",
  string
> & {
  entry_id: bigint;
  line: number;
  customer_id: string | null;
  invoice_id: string | null;
  currency: Currency;
};
type ScannedPosting = PostingOfMonth | { entry_id: bigint; line: number; kind: null };

const isInMonth = (scanned: ScannedPosting): scanned is PostingOfMonth => scanned.kind !== null;

function journalRow(row: PostingOfMonth): JournalRow {
  return {
    entryId: row.entry_id,
    line: row.line,
    occurredAt: parseTimestamp(row.occurred_at),
    effectiveAt: parseTimestamp(row.effective_at),
    recordedAt: parseTimestamp(row.recorded_at),
    kind: row.kind,
    sourceKey: row.source_key,
    cause: { type: row.cause_type, id: row.cause_id },
    customerId: row.customer_id,
    invoiceId: row.invoice_id,
    currency: row.currency,
    debit: row.debit,
    credit: row.credit,
    amount: ledgerAmount(BigInt(row.amount)),
  };
}

/** What the postings of a month come to on all accounts of a code. */
export interface JournalTotal {
  readonly currency: Currency;
  readonly code: AccountCode;
  readonly name: string;
  readonly debit: LedgerSum;
  readonly credit: LedgerSum;
}

export interface JournalTotals {
  readonly entries: bigint;
  readonly postings: bigint;
  /** By currency and code. */
  readonly totals: readonly JournalTotal[];
}

/** What an export of the month holds. @param tx one snapshot */
export async function journalTotals(tx: Tx, month: AccountingMonth): Promise<JournalTotals> {
  const ofMonth = sql`
    from ledger.journal_entry as entry join ledger.posting as posting on posting.entry_id = entry.id
    where ${inMonth(month)}`;
  const [counts] = await rows<{ entries: bigint; postings: bigint }>(
    tx,
    sql`select count(distinct entry.id) as entries, count(*) as postings ${ofMonth}`,
  );
  const totals = await rows<Record<"debit" | "credit", string> & JournalTotal>(
    tx,
    sql`select account.currency, account.code, chart.name, sum(side.debit) as debit, sum(side.credit) as credit
        from (
          select posting.debit_account as account_id, posting.amount as debit, 0 as credit ${ofMonth}
          union all
          select posting.credit_account, 0, posting.amount ${ofMonth}
        ) as side
        join ledger.account as account on account.id = side.account_id
        join ledger.chart_account as chart on chart.code = account.code
        group by account.currency, account.code, chart.name order by account.currency, account.code`,
  );
  return {
    entries: counts?.entries ?? 0n,
    postings: counts?.postings ?? 0n,
    totals: totals.map(({ debit, credit, ...line }) => ({
      ...line,
      debit: ledgerSum(BigInt(debit)),
      credit: ledgerSum(BigInt(credit)),
    })),
  };
}

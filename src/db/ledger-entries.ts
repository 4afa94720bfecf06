import { and, asc, desc, eq, inArray, type SQL } from "drizzle-orm";
import { alias } from "drizzle-orm/pg-core";
import { accountRefOfKey, type JournalEntry, type Posting } from "../domain/ledger/index.ts";
import { rows, sql, type Tx } from "./database.ts";
import { holderOfCause, holderOfSourceKey } from "./entry-claims.ts";
import { type EntryRange, inRange, wholeLedger } from "./ledger-turnover.ts";
import { type Page, type PageRequest, pageOf, rowsToRead } from "./page.ts";
import { account, journalEntry, posting } from "./schema/ledger.ts";

type EntryRow = typeof journalEntry.$inferSelect;

export interface EntryFilter {
  readonly customerId?: string | undefined;
  /** Entries with a posting on this account, named by its key or its id. */
  readonly account?: string | bigint | undefined;
  readonly kind?: string | undefined;
  readonly cause?: { readonly type: string; readonly id: string } | undefined;
  readonly invoiceId?: string | undefined;
  readonly range?: EntryRange | undefined;
}

/** Entries for which all of the filter holds, newest first; the position is an entry's id. */
export async function listEntries(
  tx: Tx,
  filter: EntryFilter,
  page: PageRequest<bigint>,
): Promise<Page<JournalEntry, bigint>> {
  const ids = await rows<{ id: bigint }>(
    tx,
    sql`select entry.id from ${entriesOn(filter.account, page)} where ${conditionOf(filter, page)}
        order by entry.id desc limit ${rowsToRead(page)}`,
  );
  const found = await tx
    .select()
    .from(journalEntry)
    .where(
      inArray(
        journalEntry.id,
        ids.map(({ id }) => id),
      ),
    )
    .orderBy(desc(journalEntry.id));
  return pageOf(await withPostings(tx, found), page, ({ id }) => id);
}

/** Entries to choose from. Those of one account are taken from its indexes, which have them in the order of the list. */
function entriesOn(account: EntryFilter["account"], page: PageRequest<bigint>): SQL {
  if (account === undefined) return sql`ledger.journal_entry as entry`;
  const id =
    typeof account === "bigint"
      ? sql`${account}`
      : sql`(select id from ledger.account where key = ${account})`;
  const older = page.after === undefined ? sql`` : sql`and entry_id < ${page.after}`;
  return sql`(
    select distinct entry_id from (
      select entry_id from ledger.posting where debit_account = ${id} ${older}
      union all
      select entry_id from ledger.posting where credit_account = ${id} ${older}
    ) as either_side
  ) as touched join ledger.journal_entry as entry on entry.id = touched.entry_id`;
}

function conditionOf(
  { customerId, kind, cause, invoiceId, range = wholeLedger }: EntryFilter,
  { after }: PageRequest<bigint>,
): SQL | undefined {
  return and(
    sql`true`,
    customerId === undefined ? undefined : sql`entry.customer_id = ${customerId}`,
    kind === undefined ? undefined : sql`entry.kind = ${kind}`,
    cause && sql`entry.cause_type = ${cause.type} and entry.cause_id = ${cause.id}`,
    cause && kind !== undefined ? sql`entry.id = ${holderOfCause(kind, cause)}` : undefined,
    invoiceId === undefined
      ? undefined
      : sql`entry.metadata ? 'invoice_id' and entry.metadata ->> 'invoice_id' = ${invoiceId}`,
    inRange(range),
    after === undefined ? undefined : sql`entry.id < ${after}`,
  );
}

export async function findEntryById(tx: Tx, id: bigint): Promise<JournalEntry | undefined> {
  const [entry] = await findEntries(tx, eq(journalEntry.id, id));
  return entry;
}

/** The one entry of a kind that a business object caused, such as `payment_succeeded` of the payment `pay_1`. */
export async function findEntryOfCause(
  tx: Tx,
  kind: string,
  cause: JournalEntry["cause"],
): Promise<JournalEntry | undefined> {
  const holder = eq(journalEntry.id, holderOfCause(kind, cause));
  const isIts = and(eq(journalEntry.causeType, cause.type), eq(journalEntry.causeId, cause.id));
  const [entry] = await findEntries(tx, and(holder, eq(journalEntry.kind, kind), isIts));
  return entry;
}

/** All that happened to an invoice: issue, payments, applied balance, write-off, reversal; oldest first. */
export function entriesOfInvoice(tx: Tx, invoiceId: string): Promise<JournalEntry[]> {
  return findEntries(
    tx,
    sql`${journalEntry.metadata} ? 'invoice_id' and ${journalEntry.metadata} ->> 'invoice_id' = ${invoiceId}`,
  );
}

export async function findEntry(tx: Tx, sourceKey: string): Promise<JournalEntry | undefined> {
  const holder = eq(journalEntry.id, holderOfSourceKey(sourceKey));
  const [entry] = await findEntries(tx, and(holder, eq(journalEntry.sourceKey, sourceKey)));
  return entry;
}

async function findEntries(tx: Tx, condition: SQL | undefined): Promise<JournalEntry[]> {
  const found = await tx.select().from(journalEntry).where(condition).orderBy(asc(journalEntry.id));
  return withPostings(tx, found);
}

async function withPostings(tx: Tx, entries: readonly EntryRow[]): Promise<JournalEntry[]> {
  const postings = await postingsOf(
    tx,
    entries.map(({ id }) => id),
  );
  return entries.map((row) => ({
    id: row.id,
    sourceKey: row.sourceKey,
    kind: row.kind,
    actor: row.actor,
    occurredAt: row.occurredAt,
    effectiveAt: row.effectiveAt,
    recordedAt: row.recordedAt,
    ...(row.customerId === null ? {} : { customerId: row.customerId }),
    cause: { type: row.causeType, id: row.causeId },
    currency: row.currency,
    postings: postings.get(row.id) ?? [],
    ...(row.reverses === null ? {} : { reverses: row.reverses }),
    metadata: row.metadata,
  }));
}

async function postingsOf(tx: Tx, entryIds: bigint[]): Promise<Map<bigint, Posting[]>> {
  if (entryIds.length === 0) return new Map();
  const debited = alias(account, "debited");
  const credited = alias(account, "credited");
  const found = await tx
    .select({ entryId: posting.entryId, debit: debited.key, credit: credited.key, amount: posting.amount })
    .from(posting)
    .innerJoin(debited, eq(debited.id, posting.debitAccount))
    .innerJoin(credited, eq(credited.id, posting.creditAccount))
    .where(inArray(posting.entryId, entryIds))
    .orderBy(asc(posting.entryId), asc(posting.line));
  const byEntry = new Map<bigint, Posting[]>(entryIds.map((id) => [id, []]));
  for (const { entryId, debit, credit, amount } of found) {
    byEntry.get(entryId)?.push({ debit: accountRefOfKey(debit), credit: accountRefOfKey(credit), amount });
  }
  return byEntry;
}

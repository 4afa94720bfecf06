import { and, asc, desc, eq, inArray, type SQL } from "drizzle-orm";
import { alias } from "drizzle-orm/pg-core";
import { accountRefOfKey, type JournalEntry, type Posting } from "../../domain/ledger/index.ts";
import { sql, type Tx } from "../database.ts";
import { account, journalEntry, posting } from "../schema/ledger.ts";
import { holderOfCause, holderOfSourceKey } from "./entry-claims.ts";

type EntryRow = typeof journalEntry.$inferSelect;

/** Entries in the order of their ids, the newest first; ids without an entry are left out. */
export async function entriesById(tx: Tx, ids: readonly bigint[]): Promise<JournalEntry[]> {
  const condition = inArray(journalEntry.id, [...ids]);
  const found = await tx.select().from(journalEntry).where(condition).orderBy(desc(journalEntry.id));
  return withPostings(tx, found);
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

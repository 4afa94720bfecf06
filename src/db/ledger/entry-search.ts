import { and, eq, type SQL } from "drizzle-orm";
import { BillingError } from "../../domain/errors.ts";
import type { JournalEntry } from "../../domain/ledger/index.ts";
import { type Database, inTransaction, rows, sql, sqlState, type Tx } from "../database.ts";
import { type Page, type PageRequest, pageOf, rowsToRead } from "../page.ts";
import { account } from "../schema/ledger.ts";
import { holderOfCause } from "./entry-claims.ts";
import { entriesById } from "./ledger-entries.ts";
import { type EntryRange, inRange, isUnlimited, wholeLedger } from "./ledger-turnover.ts";

export interface EntryFilter {
  readonly customerId?: string | undefined;
  /** Entries with a posting on this account, named by its key or its id. */
  readonly account?: string | bigint | undefined;
  readonly kind?: string | undefined;
  readonly cause?: { readonly type: string; readonly id: string } | undefined;
  readonly invoiceId?: string | undefined;
  readonly range?: EntryRange | undefined;
}

/** No index leads to what is asked for, and looking at everything would take too long. */
export class SearchTooBroadError extends BillingError {
  readonly code = "search_too_broad";

  constructor() {
    super(
      "too many entries would have to be looked at: name a customer, an invoice, or a shorter time of recording",
    );
  }
}

/** How far a search goes before it is refused. */
export interface SearchLimits {
  readonly statementMs: number;
  /** Entries of one account that are looked at for a page. */
  readonly touchedMax: number;
}

const usualLimits: SearchLimits = { statementMs: 10_000, touchedMax: 100_000 };

/**
 * Entries for which all of the filter holds, newest first; the position is an entry's id.
 * @throws SearchTooBroadError
 */
export async function searchEntries(
  db: Database,
  filter: EntryFilter,
  page: PageRequest<bigint>,
  limits: SearchLimits = usualLimits,
): Promise<Page<JournalEntry, bigint>> {
  return inTransaction(db, async (tx) => {
    try {
      await tx.execute(sql`select set_config('statement_timeout', ${String(limits.statementMs)}, true)`);
      const ids = await idsOfPage(tx, filter, page, limits);
      return pageOf(await entriesById(tx, ids), page, ({ id }) => id);
    } catch (error) {
      throw sqlState(error) === statementCanceled ? new SearchTooBroadError() : error;
    }
  });
}

const statementCanceled = "57014";

async function idsOfPage(
  tx: Tx,
  filter: EntryFilter,
  page: PageRequest<bigint>,
  limits: SearchLimits,
): Promise<bigint[]> {
  const condition = conditionOf(filter);
  if (filter.account === undefined) return idsWhere(tx, condition, page);
  const found = await findAccount(tx, filter.account);
  if (found === undefined) return [];
  if (!leadsToFewer(filter, found.hot)) return idsTouching(tx, found.id, condition, page, limits);
  const touches = sql`exists (
    select from ledger.posting where entry_id = entry.id and ${found.id} in (debit_account, credit_account))`;
  return idsWhere(tx, and(condition, touches), page);
}

/** Whether something else of the filter leads to fewer entries than its account: a hot one may be in all of them. */
function leadsToFewer({ customerId, cause, invoiceId, range = wholeLedger }: EntryFilter, isHot: boolean) {
  const isNamed = [customerId, cause, invoiceId].some((named) => named !== undefined);
  return isNamed || (isHot && !isUnlimited(range));
}

function conditionOf({
  customerId,
  kind,
  cause,
  invoiceId,
  range = wholeLedger,
}: EntryFilter): SQL | undefined {
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
  );
}

async function findAccount(tx: Tx, named: string | bigint) {
  const condition = typeof named === "bigint" ? eq(account.id, named) : eq(account.key, named);
  const [found] = await tx.select({ id: account.id, hot: account.hot }).from(account).where(condition);
  return found;
}

async function idsWhere(tx: Tx, condition: SQL | undefined, page: PageRequest<bigint>): Promise<bigint[]> {
  const older = page.after === undefined ? undefined : sql`entry.id < ${page.after}`;
  const found = await rows<{ id: bigint }>(
    tx,
    sql`select entry.id from ledger.journal_entry as entry where ${and(condition, older)}
        order by entry.id desc limit ${rowsToRead(page)}`,
  );
  return found.map(({ id }) => id);
}

const touchedAtOnce = 500;

/** From the account's two indexes, some entries at a time, until as many fit as are wanted: an account may be in every entry. */
async function idsTouching(
  tx: Tx,
  accountId: bigint,
  condition: SQL | undefined,
  page: PageRequest<bigint>,
  { touchedMax }: SearchLimits,
): Promise<bigint[]> {
  const ids: bigint[] = [];
  let after = page.after;
  for (let looked = 0; ids.length < rowsToRead(page); looked += touchedAtOnce) {
    if (looked >= touchedMax) throw new SearchTooBroadError();
    const touched = await nextTouched(tx, accountId, after);
    if (touched.length > 0) {
      const among = sql`entry.id between ${touched.at(-1)} and ${touched[0]} and entry.id = any(${`{${touched.join()}}`}::bigint[])`;
      ids.push(...(await idsWhere(tx, and(condition, among), { limit: touchedAtOnce })));
    }
    if (touched.length < touchedAtOnce) break;
    after = touched.at(-1);
  }
  return ids.slice(0, rowsToRead(page));
}

async function nextTouched(tx: Tx, accountId: bigint, after: bigint | undefined): Promise<bigint[]> {
  const newest = (side: SQL) => sql`
    (select distinct entry_id from ledger.posting
      where ${side} = ${accountId} ${after === undefined ? sql`` : sql`and entry_id < ${after}`}
      order by entry_id desc limit ${touchedAtOnce})`;
  const found = await rows<{ entry_id: bigint }>(
    tx,
    sql`select entry_id from (${newest(sql`debit_account`)} union ${newest(sql`credit_account`)}) as touched
        order by entry_id desc limit ${touchedAtOnce}`,
  );
  return found.map(({ entry_id: id }) => id);
}

import type { Instant } from "../../domain/calendar/index.ts";
import { invariant } from "../../domain/errors.ts";
import { accountKey, type JournalEntryDraft } from "../../domain/ledger/index.ts";
import { rows, sql, type Tx } from "../database.ts";

export * from "./ledger-balances.ts";
export * from "./ledger-entries.ts";

/**
 * What became of a draft. `created`: it is in the ledger now. `exists`: it was already, with the same content.
 * `exists_different`: its source key, its cause and kind, or what it reverses is taken by an entry with other content.
 * `insufficient`: an account would go below its floor. `account_missing`: the chart has no such account.
 * `period_closed`: it would become effective in a closed month.
 */
export type PostingStatus =
  | "created"
  | "exists"
  | "exists_different"
  | "insufficient"
  | "account_missing"
  | "period_closed";

export interface PostingResult {
  readonly sourceKey: string;
  readonly status: PostingStatus;
  /** The entry that was created or was there already; null after a refusal. */
  readonly entryId: bigint | null;
}

/**
 * Posts entries in the caller's transaction, which must be read committed: each whole or not at all, in their order
 * where one depends on another. Accounts are opened on first use. One round trip, up to a few thousand entries.
 * @param actor who causes the entries, for the record
 * @returns a result per draft, in the order of the drafts
 */
export async function postEntries(
  tx: Pick<Tx, "execute">,
  drafts: readonly JournalEntryDraft[],
  actor = "reckoner",
): Promise<PostingResult[]> {
  if (drafts.length === 0) return [];
  const batch = batchText(drafts.map((draft) => entryText(draft, actor)));
  const posted = await rows<PostedRow>(
    tx,
    sql`select ordinal, status, entry_id from ledger.post_entries(${batch}::jsonb) order by ordinal`,
  );
  return postingResults(drafts, posted);
}

/** What ledger.post_entries answers for each entry, in the order of their ordinals. */
export interface PostedRow {
  /** Counts from 1. */
  readonly ordinal: number;
  readonly status: PostingStatus;
  readonly entry_id: bigint | null;
}

export function postingResults(
  entries: readonly Pick<JournalEntryDraft, "sourceKey">[],
  posted: readonly PostedRow[],
): PostingResult[] {
  invariant(posted.length === entries.length, "every entry has a result");
  return entries.map(({ sourceKey }, index) => {
    const result = posted[index];
    invariant(result?.ordinal === index + 1, "results are numbered like their entries");
    return { sourceKey, status: result.status, entryId: result.entry_id };
  });
}

/** The argument of ledger.post_entries: a batch of {@link entryText}s. */
export const batchText = (entries: readonly string[]): string => `[${entries.join(",")}]`;

/** What `isoOf` gives, at a quarter of its cost: half of what an entry costs here would be its two instants. */
const isoText = (at: Instant): string => new Date(at).toISOString();

/** One draft as ledger.post_entries takes it. */
export const entryText = (draft: JournalEntryDraft, actor: string): string =>
  JSON.stringify(sentEntry(draft, actor));

function sentEntry(draft: JournalEntryDraft, actor: string) {
  return {
    source_key: draft.sourceKey,
    kind: draft.kind,
    occurred_at: isoText(draft.occurredAt),
    effective_at: isoText(draft.effectiveAt),
    when_closed: draft.whenClosed,
    actor,
    cause_type: draft.cause.type,
    cause_id: draft.cause.id,
    customer_id: draft.customerId,
    currency: draft.currency,
    reverses: draft.reverses?.toString(),
    metadata: draft.metadata,
    postings: draft.postings.map(({ debit, credit, amount }) => ({
      debit: accountKey(debit),
      credit: accountKey(credit),
      amount: amount.toString(),
    })),
  };
}

/**
 * Folds what hot accounts have collected into their balances: housekeeping, to be run every few seconds. Reads are
 * exact before, while and after.
 * @returns how many deltas were folded; zero while another session does it
 */
export async function foldHotBalances(tx: Pick<Tx, "execute">): Promise<bigint> {
  const [result] = await rows<{ folded: bigint }>(tx, sql`select ledger.fold_hot_balances() as folded`);
  invariant(result, "folding gives a count");
  return result.folded;
}

/**
 * Adds partitions for entries before they are needed: housekeeping. Reads and posts go on meanwhile.
 * @returns how many ranges of entry ids were added
 */
export async function preparePartitions(
  tx: Pick<Tx, "execute">,
  entriesEach = entriesPerPartition,
): Promise<number> {
  const [result] = await rows<{ added: number }>(
    tx,
    sql`select ledger.prepare_partitions(${entriesEach}) as added`,
  );
  invariant(result, "preparing gives a count");
  return result.added;
}

/** Some tens of gigabytes: the indexes in use fit into memory, and a year has a handful. */
const entriesPerPartition = 50_000_000;

/**
 * Writes down the balances at the end of the oldest closed month that has none yet, so that reads as of an instant need
 * not begin at the beginning: housekeeping.
 * @returns the month's first day; null when there is nothing to do, or another session does it
 */
export async function carryClosedMonth(tx: Pick<Tx, "execute">): Promise<string | null> {
  const [result] = await rows<{ month: string | null }>(
    tx,
    sql`select ledger.carry_closed_month()::text as month`,
  );
  invariant(result, "carrying gives an answer");
  return result.month;
}

/**
 * Closes a month (UTC) and all before it, after waiting for entries under way: nothing becomes effective in them any
 * more.
 * @param month its first day, "2026-01-01"
 * @returns false when it was closed already
 */
export async function closeAccountingPeriod(
  tx: Pick<Tx, "execute">,
  month: string,
  actor: string,
): Promise<boolean> {
  const [result] = await rows<{ closed: boolean }>(
    tx,
    sql`select ledger.close_period(${month}::date, ${actor}) as closed`,
  );
  invariant(result, "closing gives an answer");
  return result.closed;
}

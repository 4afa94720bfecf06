import { and, type SQL } from "drizzle-orm";
import { type Instant, instantOfEpochMs, isoOf } from "../domain/calendar/index.ts";
import { sql } from "./database.ts";

/** Which entries count, by both clocks of the ledger. Half-open: what is `from` belongs to it, what is `before` does not. */
export interface EntryRange {
  readonly effectiveFrom?: Instant | undefined;
  readonly effectiveBefore?: Instant | undefined;
  readonly recordedFrom?: Instant | undefined;
  readonly recordedBefore?: Instant | undefined;
}

/** Everything recorded so far, also what becomes effective later. */
export const wholeLedger: EntryRange = {};

/**
 * The ledger as it was at an instant of either clock, or of both: what was effective, and what was recorded, at or before
 * it. The database keeps microseconds and shows milliseconds, so the whole millisecond that the instant names is in.
 * The answer for a recorded instant is final once the transactions that were open then have ended.
 */
export function asOf(at: {
  readonly effectiveAt?: Instant | undefined;
  readonly recordedAt?: Instant | undefined;
}): EntryRange {
  return { effectiveBefore: justAfter(at.effectiveAt), recordedBefore: justAfter(at.recordedAt) };
}

const justAfter = (at: Instant | undefined) => (at === undefined ? undefined : instantOfEpochMs(at + 1));

/** Whether a range leaves nothing out. */
export const isUnlimited = (range: EntryRange): boolean =>
  Object.values(range).every((limit) => limit === undefined);

/** The condition on `ledger.journal_entry as entry`; undefined where there is none. */
export function inRange(range: EntryRange): SQL | undefined {
  const { effectiveFrom, effectiveBefore, recordedFrom, recordedBefore } = range;
  return and(
    effectiveFrom === undefined ? undefined : sql`entry.effective_at >= ${timestamp(effectiveFrom)}`,
    effectiveBefore === undefined ? undefined : sql`entry.effective_at < ${timestamp(effectiveBefore)}`,
    recordedFrom === undefined ? undefined : sql`entry.recorded_at >= ${timestamp(recordedFrom)}`,
    recordedBefore === undefined ? undefined : sql`entry.recorded_at < ${timestamp(recordedBefore)}`,
  );
}

const timestamp = (at: Instant) => sql`${isoOf(at)}::timestamptz`;

/**
 * What a range of entries moved on each account: rows of account_id, debit, credit and postings, for accounts that it
 * moved. Everything that is asked for an instant or a month is a sum of these rows.
 * @param accounts a query for the ids of accounts; all of them when left out
 */
export function turnover(range: EntryRange, accounts?: SQL): SQL {
  const only = (column: SQL) => (accounts === undefined ? sql`` : sql`where ${column} in (${accounts})`);
  return sql`
    select side.account_id, sum(side.debit) as debit, sum(side.credit) as credit, count(*) as postings
    from (
      select entry_id, debit_account as account_id, amount as debit, 0 as credit from ledger.posting
      ${only(sql`debit_account`)}
      union all
      select entry_id, credit_account, 0, amount from ledger.posting ${only(sql`credit_account`)}
    ) as side
    ${isUnlimited(range) ? sql`` : sql`join ledger.journal_entry as entry on entry.id = side.entry_id where ${inRange(range)}`}
    group by side.account_id`;
}

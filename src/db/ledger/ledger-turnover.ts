import { and, type SQL } from "drizzle-orm";
import { type Instant, instantOfEpochMs } from "../../domain/calendar/index.ts";
import { sql } from "../database.ts";
import { timestamp } from "../timestamp.ts";

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

/** Whether effective dates limit it, whose order is not that in which entries are recorded. */
export const isByEffect = ({ effectiveFrom, effectiveBefore }: EntryRange): boolean =>
  effectiveFrom !== undefined || effectiveBefore !== undefined;

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

/**
 * What a range of entries moved on each account: rows of account_id, debit, credit, and postings, which is how many they
 * were, null when effective dates limit the range. Everything that is asked for an instant or a month is a sum of these.
 * @param accounts a query for the ids of accounts; all of them when left out
 */
export function turnover(range: EntryRange, accounts?: SQL): SQL {
  const { effectiveFrom, effectiveBefore, recordedFrom, recordedBefore } = range;
  const isOfAllRecorded = recordedFrom === undefined && recordedBefore === undefined;
  if (effectiveBefore !== undefined && effectiveFrom === undefined && isOfAllRecorded) {
    return turnoverUntil(effectiveBefore, accounts);
  }
  const postings = isByEffect(range) ? sql`null::bigint` : sql`count(*)`;
  return sql`
    select account_id, sum(debit) as debit, sum(credit) as credit, ${postings} as postings
    from (${movements(range, accounts)}) as moved group by account_id`;
}

/** From the balances carried at the end of the newest closed month before the instant: nothing is added to them any more. */
function turnoverUntil(effectiveBefore: Instant, accounts: SQL | undefined): SQL {
  const monthsEnd = sql`(month + interval '1 month') at time zone 'UTC'`;
  const carried = sql`(select max(month) from ledger.carried_month where ${monthsEnd} <= ${timestamp(effectiveBefore)})`;
  const since = sql`coalesce((select ${monthsEnd} from ${carried} as newest (month)), '-infinity')`;
  return sql`
    select account_id, sum(debit) as debit, sum(credit) as credit, null::bigint as postings
    from (
      (
        select distinct on (account_id) account_id, debit, credit from ledger.period_balance
        where month <= ${carried} ${among(sql`account_id`, accounts)}
        order by account_id, month desc
      )
      union all
      ${movements({ effectiveBefore }, accounts, sql`entry.effective_at >= ${since}`)}
    ) as moved group by account_id`;
}

/** Both sides of every posting of a range: rows of account_id, debit and credit. */
function movements(range: EntryRange, accounts: SQL | undefined, condition?: SQL): SQL {
  const isLimited = condition !== undefined || !isUnlimited(range);
  const entries = isLimited
    ? sql`join ledger.journal_entry as entry on entry.id = side.entry_id where ${and(inRange(range), condition)}`
    : sql``;
  return sql`
    select side.account_id, side.debit, side.credit
    from (
      select entry_id, debit_account as account_id, amount as debit, 0 as credit
      from ledger.posting where true ${among(sql`debit_account`, accounts)}
      union all
      select entry_id, credit_account, 0, amount
      from ledger.posting where true ${among(sql`credit_account`, accounts)}
    ) as side ${entries}`;
}

const among = (column: SQL, accounts: SQL | undefined) =>
  accounts === undefined ? sql`` : sql`and ${column} in (${accounts})`;

import { type Instant, instantOfEpochMs } from "../../domain/calendar/index.ts";
import { BillingError } from "../../domain/errors.ts";
import { rows, sql, sqlState, type Tx } from "../database.ts";

/** It would take single events, and those of that time are archived. */
export class UsageMonthArchivedError extends BillingError {
  readonly code = "usage_month_archived";
}

/** Single events before this instant are archived; null when none are. */
export async function archivedBefore(tx: Tx): Promise<Instant | null> {
  const [row] = await rows<{ ms: bigint | null }>(
    tx,
    sql`select (extract(epoch from nullif(usage.archived_before(), '-infinity')) * 1000)::int8 as ms`,
  );
  return row?.ms == null ? null : instantOfEpochMs(Number(row.ms));
}

/** What the database refuses because it would take archived events. */
export const isArchivedRefusal = (error: unknown) => sqlState(error) === "RK014";

/** A batch found the month of one of its events archived, which it was not a moment ago: it goes again, like after a deadlock. */
export class MonthArchivedMeanwhileError extends Error {
  readonly code = "40001";

  constructor(cause: unknown) {
    super("a month was archived meanwhile: take in the batch again", { cause });
  }
}

/** Nothing takes events of that month any more. */
export const isMonthGone = (error: unknown) =>
  isArchivedRefusal(error) ||
  (sqlState(error) === "23514" && innermost(error).message.startsWith("no partition of relation"));

/**
 * Reads quantities, of which less than everything would be wrong.
 * @throws UsageMonthArchivedError when the period cuts through a minute of an archived month
 */
export async function fromEventsHere<Result>(read: Promise<Result>): Promise<Result> {
  try {
    return await read;
  } catch (error) {
    if (!isArchivedRefusal(error)) throw error;
    const message = `${innermost(error).message}: up to there, ask for periods of whole minutes`;
    throw new UsageMonthArchivedError(message);
  }
}

function innermost(error: unknown): Error {
  const { cause } = error as Error;
  return cause instanceof Error ? innermost(cause) : (error as Error);
}

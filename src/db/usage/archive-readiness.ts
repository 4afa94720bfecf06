import { instantOfEpochMs, isoOf } from "../../domain/calendar/index.ts";
import { BillingError } from "../../domain/errors.ts";
import { type AccountingMonth, monthOf, periodOfMonth } from "../../domain/ledger/accounting-month.ts";
import { eventAgeDaysMax } from "../../domain/metering/index.ts";
import type { Database } from "../database.ts";
import { unbilledEvents } from "../invariants/rating-invariants.ts";
import { tableOf } from "./archive-events.ts";

/** Its single events may still be needed. The message says what for, and what to do. */
export class UsageMonthNeededError extends BillingError {
  readonly code = "usage_month_needed";

  constructor(month: AccountingMonth, reasons: readonly string[]) {
    super(`${month} cannot be archived yet: ${reasons.join("; ")}`);
  }
}

interface Reason {
  /** What is found in the month that keeps it: `things` counts it, `example` names one. */
  readonly query: string;
  readonly text: (things: bigint, example: string) => string;
}

/** $1 is where the month begins, $2 where it ends. Each tells what could still ask for single events. */
const reasons = (table: string): readonly Reason[] => [
  {
    query: `select count(*) as things, min(id) as example from billing.subscription
      where next_close_at is not null and billed_through < $2`,
    text: (things, example) =>
      `${things} subscriptions have a period of it that is not closed, such as ${example}: close it, or cancel the subscription`,
  },
  {
    query: `select count(*) as things, min(subscription_id) as example from (${unbilledEvents}) as unbilled where period_start < $2`,
    text: (things, example) =>
      `${things} late events are not billed yet, such as one of ${example}: they are with its next invoice`,
  },
  {
    query: `select count(*) as things, null as example from (
        select recorded_xid from usage.${table}
        union all select recorded_xid from usage.later_contribution where time >= $1 and time < $2
      ) as fact where recorded_xid >= (select before from usage.folded)`,
    text: (things) => `${things} facts are not in the windows yet: a worker does it in seconds`,
  },
  {
    query: `select count(*) as things, min(correction_id) as example
      from usage.correction_event join usage.correction_standing on id = correction_id
      where status = 'pending_approval' and event_time >= $1 and event_time < $2`,
    text: (things, example) => `${things} corrections wait to be decided, such as ${example}`,
  },
  {
    query: `select count(*) as things, min(key) as example from usage.meter_backfill_standing
      where state in ('waiting', 'running') and since < $2 and (until is null or until > $1)`,
    text: (things, example) => `${things} backfills still read it, such as that of meter ${example}`,
  },
];

/**
 * Sees to it that nothing will ask for the single events of a month any more.
 * @throws UsageMonthNeededError
 */
export async function requireUnneeded(db: Database, month: AccountingMonth): Promise<void> {
  const { start, end } = periodOfMonth(month);
  const found: string[] = [];
  const acceptedFrom = (await earliestNow(db)) - eventAgeDaysMax * 86_400_000;
  if (acceptedFrom < end) {
    const from = monthOf(instantOfEpochMs(acceptedFrom));
    found.push(`its events are still accepted, for ${eventAgeDaysMax} days: archive months before ${from}`);
  }
  for (const { query, text } of reasons(tableOf(month))) {
    const [row] = await db.sql.unsafe<{ things: bigint; example: string | null }[]>(
      query.replaceAll("$1", quoted(start)).replaceAll("$2", quoted(end)),
    );
    if (row !== undefined && row.things > 0n) found.push(text(row.things, row.example ?? ""));
  }
  if (found.length > 0) throw new UsageMonthNeededError(month, found);
}

const quoted = (epochMs: number) => `'${isoOf(instantOfEpochMs(epochMs))}'::timestamptz`;

/** The earliest that it is for anybody: customers on test clocks live in a time of their own. */
async function earliestNow({ sql }: Database): Promise<number> {
  const [row] = await sql<[{ ms: bigint }]>`
    select (extract(epoch from least(now(), (select min(current_at) from billing.test_clock))) * 1000)::int8 as ms`;
  return Number(row.ms);
}

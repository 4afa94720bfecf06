import type { BudgetReading } from "../../domain/alerts/index.ts";
import { type Instant, instantOfEpochMs } from "../../domain/calendar/index.ts";
import type { LimitWindow } from "../../domain/catalog/index.ts";
import { effectiveCaps, type SpenderOfCap, type SpendingCap } from "../../domain/entitlements/index.ts";
import { storedDecimal } from "../../domain/money/index.ts";
import { rows, sql, type Tx } from "../database.ts";
import { timestamp } from "../timestamp.ts";

interface CapRow {
  readonly id: string;
  readonly kind: "cap" | "raise";
  readonly each_user: boolean;
  readonly amount_minor: string;
  readonly limit_window: LimitWindow;
  readonly effective_ms: number;
  readonly expires_ms: number | null;
  readonly spender: string;
  readonly spender_kind: SpenderOfCap["kind"];
  readonly spender_key: string;
  readonly customer_id: string;
  readonly is_asked: boolean;
}

interface CounterRow {
  readonly user_key: string | null;
  readonly start_ms: number | null;
  readonly end_ms: number | null;
  readonly spent_minor: string;
}

/**
 * How a cap stands in the window that is open, raises and newer caps with its window included; of a cap for each user, one reading
 * for each who has spent. None while no cap is in force.
 */
export async function capReadings(tx: Tx, capId: string, now: Instant): Promise<BudgetReading[]> {
  const stored = await capsBeside(tx, capId);
  const asked = stored.find(({ is_asked }) => is_asked);
  if (asked === undefined) return [];
  const [cap] = effectiveCaps(stored.map(capOf), now);
  if (cap === undefined || cap.limit === null) return [];
  const { limit: allowed, windowKey, spender } = cap;
  const counted = await rows<CounterRow>(
    tx,
    sql`select user_key, spent_minor::text, (extract(epoch from window_end) * 1000)::float8 as end_ms,
          case when window_end is not null then (extract(epoch from window_start) * 1000)::float8 end as start_ms
        from billing.spending_counter
        where spender = ${`${spender.number}`}::int8 and window_key = ${windowKey} and (user_key is not null) = ${cap.eachUser}
          and window_start <= ${timestamp(now)} and (window_end is null or window_end > ${timestamp(now)})`,
  );
  return counted.map(({ user_key: user, spent_minor: spent, start_ms: start, end_ms: end }) => ({
    key: user === null ? windowKey : `${windowKey}/${user}`,
    // A window that never ends began when the cap did.
    windowStart: instantOfEpochMs(start ?? asked.effective_ms),
    windowEnd: end === null ? null : instantOfEpochMs(end),
    used: storedDecimal(spent),
    allowed,
  }));
}

/** The cap, and all of its spender with the same window, as they took effect. */
async function capsBeside(tx: Tx, capId: string): Promise<CapRow[]> {
  return await rows<CapRow>(
    tx,
    sql`select cap.id, cap.kind, cap.each_user, cap.amount_minor::text, cap.limit_window, cap.spender::text,
          (extract(epoch from cap.effective_at) * 1000)::float8 as effective_ms,
          (extract(epoch from least(cap.expires_at, ended.ended_at)) * 1000)::float8 as expires_ms,
          spender.kind as spender_kind, spender.key as spender_key, spender.customer_id, cap.id = asked.id as is_asked
        from billing.spending_cap as asked
        join billing.spending_cap as cap on (cap.spender, cap.each_user, cap.limit_window) = (asked.spender, asked.each_user, asked.limit_window)
        join billing.spender on spender.number = cap.spender
        left join billing.spending_cap_end as ended on ended.cap_id = cap.id
        where asked.id = ${capId}
        order by cap.effective_at, cap.recorded_at, cap.id`,
  );
}

const capOf = (row: CapRow): SpendingCap => ({
  id: row.id,
  spender: {
    number: BigInt(row.spender),
    kind: row.spender_kind,
    key: row.spender_key,
    customerId: row.customer_id,
  },
  isRaise: row.kind === "raise",
  eachUser: row.each_user,
  amount: storedDecimal(row.amount_minor),
  window: row.limit_window,
  effectiveAt: instantOfEpochMs(row.effective_ms),
  expiresAt: row.expires_ms === null ? null : instantOfEpochMs(row.expires_ms),
});

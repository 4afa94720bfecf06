import type { SQL } from "drizzle-orm";
import { type Instant, instantOfEpochMs, type Period } from "../../domain/calendar/index.ts";
import type { Aggregation, Dimensions } from "../../domain/metering/index.ts";
import { type Decimal, decimal } from "../../domain/money/index.ts";
import { rows, sql, type Tx } from "../database.ts";

export interface UsageRequest {
  readonly customerId: string;
  readonly meterKey: string;
  readonly aggregation: Aggregation;
  /** Any instants: where it cuts through an hour, the events of that hour are looked at one by one. */
  readonly period: Period;
  /** The dimensions to tell apart; all of the meter's when left out, none for one total. */
  readonly groupBy?: readonly string[];
}

export interface UsageQuantity {
  readonly dimensions: Dimensions;
  /** Never without events: a combination of dimensions that was not used has no row. */
  readonly quantity: Decimal;
  readonly eventCount: bigint;
}

export type WindowSize = "hour" | "day";

export interface WindowedQuantity extends UsageQuantity {
  /** Where the UTC hour or day begins, also when the period begins later. */
  readonly windowStart: Instant;
}

interface QuantityRow {
  readonly dimensions: Dimensions;
  readonly quantity: string;
  readonly event_count: bigint;
}

/** The exact quantity of a meter in a period, one row per combination of dimensions, in a stable order. */
export async function usageQuantities(tx: Tx, request: UsageRequest): Promise<UsageQuantity[]> {
  const found = await rows<QuantityRow>(
    tx,
    sql`select ${dimensionsOf(request)} as dimensions, ${totalsOf(request)}
      from (${hoursOf(request)}) hours group by 1 order by 1`,
  );
  return found.map(quantityOf);
}

/** The same, divided into UTC hours or days: for charts. Windows without usage are left out. */
export async function usageByWindow(
  tx: Tx,
  { size, ...request }: UsageRequest & { readonly size: WindowSize },
): Promise<WindowedQuantity[]> {
  const found = await rows<QuantityRow & { window_start_ms: bigint }>(
    tx,
    sql`select (extract(epoch from date_trunc(${size}, hour, 'UTC')) * 1000)::int8 as window_start_ms,
        ${dimensionsOf(request)} as dimensions, ${totalsOf(request)}
      from (${hoursOf(request)}) hours group by 1, 2 order by 1, 2`,
  );
  return found.map((row) => ({
    windowStart: instantOfEpochMs(Number(row.window_start_ms)),
    ...quantityOf(row),
  }));
}

/**
 * Usage by hour and dimensions: windows for the hours that lie in the period as a whole, contributions for
 * the pieces of hours at its two ends. Both are sums of the same contributions.
 */
function hoursOf({ customerId, meterKey, period: { start, end } }: UsageRequest): SQL {
  const firstHour = Math.ceil(start / hourMs) * hourMs;
  const lastHour = Math.floor(end / hourMs) * hourMs;
  const headEnd = Math.min(firstHour, end);
  const tailStart = Math.max(lastHour, headEnd);
  return sql`
    select hour, dimensions_key, sum, max, count from usage.hourly_window
    where customer_id = ${customerId} and meter_key = ${meterKey}
      and hour >= ${timestamp(firstHour)} and hour < ${timestamp(lastHour)}
    union all
    select date_bin('1 hour', time, 'epoch'), dimensions_key, quantity, quantity, 1 from usage.contribution
    where customer_id = ${customerId} and meter_key = ${meterKey}
      and (time >= ${timestamp(start)} and time < ${timestamp(headEnd)}
        or time >= ${timestamp(tailStart)} and time < ${timestamp(end)})`;
}

function dimensionsOf({ groupBy }: UsageRequest): SQL {
  if (groupBy === undefined) return sql`dimensions_key::jsonb`;
  return sql`(select coalesce(jsonb_object_agg(name, dimensions_key::jsonb -> name), '{}')
    from json_array_elements_text(${JSON.stringify(groupBy)}::text::json) as name)`;
}

function totalsOf({ aggregation }: UsageRequest): SQL {
  const quantity = aggregation === "max" ? sql`max(max)` : sql`sum(sum)`;
  return sql`${quantity} as quantity, sum(count)::int8 as event_count`;
}

function quantityOf({ dimensions, quantity, event_count }: QuantityRow): UsageQuantity {
  return { dimensions, quantity: decimal(quantity), eventCount: event_count };
}

const hourMs = 3_600_000;

const timestamp = (epochMs: number): SQL => sql`${new Date(epochMs).toISOString()}::timestamptz`;

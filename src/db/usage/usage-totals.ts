import type { SQL } from "drizzle-orm";
import { type Instant, instantOfEpochMs, type Period } from "../../domain/calendar/index.ts";
import { type Dimensions, dimensionsKey, type WindowSize } from "../../domain/metering/index.ts";
import { type Decimal, decimal } from "../../domain/money/index.ts";
import { rows, sql, type Tx } from "../database.ts";
import { timestamp } from "../timestamp.ts";
import { customerNumber } from "./customer-number.ts";
import type { StoredMeter } from "./meters-in-force.ts";
import type { Snapshot } from "./usage-reads.ts";

export interface UsageRequest {
  readonly customerId: string;
  readonly meter: Pick<StoredMeter, "number" | "aggregation">;
  /** Any instants: where it cuts through a minute, the events of that minute are looked at one by one. */
  readonly period: Period;
  /** The dimensions to tell apart; all of the meter's when left out, none for one total. */
  readonly groupBy?: readonly string[];
  /** Only usage with these values of dimensions. */
  readonly where?: Dimensions;
  /** As a rating run saw it, to derive again what it came to: from the events one by one. All that is there when left out. */
  readonly visibleIn?: Snapshot;
}

/** What windows and contributions add up to. */
export interface UsageTotal {
  readonly windowStart: Instant;
  readonly dimensions: Dimensions;
  readonly count: bigint;
  readonly sum: Decimal;
  readonly min: Decimal;
  readonly max: Decimal;
  /** False when something was taken back just now: then the extremes may be its. */
  readonly isExact: boolean;
}

interface TotalRow {
  readonly dimensions: Dimensions;
  readonly count: bigint;
  readonly sum: string;
  readonly min: string;
  readonly max: string;
  readonly is_exact: boolean;
}

/** A row of `usage.totals_asked`: of which request, counted from 0. */
export type TotalOfRequest = Omit<TotalRow, "count"> & {
  readonly place: number;
  readonly count: bigint | string;
};

const addedUp = sql`sum(said.count)::int8 as count, sum(said.sum)::text as sum, min(said.min)::text as min,
  max(said.max)::text as max, bool_and(said.is_exact) as is_exact`;

/** Of each request what its whole period adds up to, in one statement. */
export async function totalsOfEach(tx: Tx, requests: readonly UsageRequest[]): Promise<UsageTotal[][]> {
  if (requests.length === 0) return [];
  const found = await rows<TotalOfRequest>(
    tx,
    sql`select place, dimensions, count, sum::text as sum, min::text as min, max::text as max, is_exact
      from usage.totals_asked(${askedTotals(requests)}::text::json)`,
  );
  return totalsFound(requests, found);
}

/** The argument of `usage.totals_asked`. */
export function askedTotals(requests: readonly UsageRequest[]): string {
  const asked = requests.map(({ customerId, meter, period, groupBy, where = {} }, place) => ({
    place,
    customer_id: customerId,
    meter: meter.number,
    since: isoText(period.start),
    until: isoText(period.end),
    group_by: groupBy,
    wanted: where,
  }));
  return JSON.stringify(asked);
}

/** What `usage.totals_asked` found, request by request. */
export function totalsFound(
  requests: readonly UsageRequest[],
  found: readonly TotalOfRequest[],
): UsageTotal[][] {
  const ofPlace = Map.groupBy(found, ({ place }) => place);
  return requests.map(({ period }, place) =>
    (ofPlace.get(place) ?? []).map((row) => totalOf({ ...row, count: BigInt(row.count) }, period.start)),
  );
}

/** The same of one request, divided into windows. */
export async function totalsByWindow(tx: Tx, request: UsageRequest, size: WindowSize): Promise<UsageTotal[]> {
  const found = await rows<TotalRow & { readonly window_ms: bigint }>(
    tx,
    sql`select ${windowMs} as window_ms, ${dimensionsOf(request)} as dimensions, ${addedUp}
      from usage.read_windows(${scopeOf(request, size)}) as said
      join usage.dimensions as named on named.number = said.dimensions and ${isWanted(request)}
      group by 1, 2 having sum(said.count) <> 0 order by 1, 2`,
  );
  return found.map((row) => totalOf(row, instantOfEpochMs(Number(row.window_ms))));
}

const totalOf = (row: TotalRow, windowStart: Instant): UsageTotal => ({
  windowStart,
  dimensions: row.dimensions,
  count: row.count,
  sum: decimal(row.sum),
  min: decimal(row.min),
  max: decimal(row.max),
  isExact: row.is_exact,
});

/** What `isoOf` gives, at a quarter of its cost: a page of subscriptions has thousands. */
const isoText = (at: Instant): string => new Date(at).toISOString();

export function eventCountIn(
  totals: readonly UsageTotal[],
  windowStart: Instant,
  dimensions: Dimensions,
): bigint {
  const key = dimensionsKey(dimensions);
  const total = totals.find(
    (one) => one.windowStart === windowStart && dimensionsKey(one.dimensions) === key,
  );
  return total?.count ?? 0n;
}

export const windowMs = sql`(extract(epoch from said.window_start) * 1000)::int8`;

export const windowStartOf = (ms: bigint | null, { period }: UsageRequest): Instant =>
  ms === null ? period.start : instantOfEpochMs(Number(ms));

/** The arguments of the functions that read windows. */
export const scopeOf = ({ customerId, meter, period }: UsageRequest, size: WindowSize | null): SQL =>
  sql`${customerNumber(customerId)}, ${meter.number}, ${timestamp(period.start)}, ${timestamp(period.end)}, ${size}`;

export const isWanted = ({ where }: UsageRequest): SQL =>
  where === undefined || Object.keys(where).length === 0
    ? sql`true`
    : sql`named.key::jsonb @> ${JSON.stringify(where)}::text::jsonb`;

/** Of `named.key`, the dimensions asked for. */
export function dimensionsOf({ groupBy }: UsageRequest): SQL {
  if (groupBy === undefined) return sql`named.key::jsonb`;
  return sql`(select coalesce(jsonb_object_agg(name, named.key::jsonb -> name), '{}')
    from json_array_elements_text(${JSON.stringify(groupBy)}::text::json) as name)`;
}

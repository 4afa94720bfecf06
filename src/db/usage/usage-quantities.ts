import type { SQL } from "drizzle-orm";
import { type Instant, instantOfEpochMs, type Period } from "../../domain/calendar/index.ts";
import {
  type Aggregation,
  type Dimensions,
  dimensionsKey,
  inUnit,
  type WindowSize,
} from "../../domain/metering/index.ts";
import { type Decimal, decimal, Fraction } from "../../domain/money/index.ts";
import { rows, sql, type Tx } from "../database.ts";
import { timestamp } from "../timestamp.ts";
import { fromEventsHere } from "./archived-months.ts";
import { customerNumber } from "./customer-number.ts";
import type { StoredMeter } from "./meters-in-force.ts";
import { quantitiesAsOf } from "./usage-as-of.ts";
import { levelQuantities } from "./usage-levels.ts";
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

export interface UsageQuantity {
  readonly dimensions: Dimensions;
  /** In the meter's own measure: exact, but an average has at most 12 decimals. */
  readonly quantity: Decimal;
  readonly eventCount: bigint;
}

export interface WindowedQuantity extends UsageQuantity {
  /** Where the window begins on the customer's clock, also when the period begins later. */
  readonly windowStart: Instant;
}

/**
 * The quantity of a meter in a period, one row per combination of dimensions that was used, in a stable order. A level
 * that holds from before the period (time_weighted_sum) is usage too.
 * @throws UsageMonthArchivedError when the period cuts through a minute whose events are archived
 */
export async function usageQuantities(tx: Tx, request: UsageRequest): Promise<UsageQuantity[]> {
  const { visibleIn } = request;
  return await fromEventsHere(
    visibleIn === undefined ? quantities(tx, request, null) : quantitiesAsOf(tx, { ...request, visibleIn }),
  );
}

/** The same, divided into windows on the customer's clock: for charts. Windows without usage are left out. */
export async function usageByWindow(
  tx: Tx,
  { size, ...request }: UsageRequest & { readonly size: WindowSize },
): Promise<WindowedQuantity[]> {
  const found = await fromEventsHere(quantities(tx, request, size));
  return found.toSorted((one, other) => one.windowStart - other.windowStart);
}

async function quantities(
  tx: Tx,
  request: UsageRequest,
  size: WindowSize | null,
): Promise<WindowedQuantity[]> {
  const totals = await totalsOf(tx, request, size);
  switch (request.meter.aggregation) {
    case "latest":
    case "time_weighted_sum":
      return await levelQuantities(tx, request, size, totals);
    case "unique_count":
      return await valueCounts(tx, request, size, totals);
    case "min":
    case "max":
      return totals.every(({ isExact }) => isExact)
        ? totals.map(quantityOfTotal(request.meter.aggregation))
        : await standingExtremes(tx, request, size);
    default:
      return totals.map(quantityOfTotal(request.meter.aggregation));
  }
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
  readonly window_ms: bigint | null;
  readonly dimensions: Dimensions;
  readonly count: bigint;
  readonly sum: string;
  readonly min: string;
  readonly max: string;
  readonly is_exact: boolean;
}

async function totalsOf(tx: Tx, request: UsageRequest, size: WindowSize | null): Promise<UsageTotal[]> {
  const found = await rows<TotalRow>(
    tx,
    sql`select ${windowMs} as window_ms, ${dimensionsOf(request)} as dimensions, sum(count)::int8 as count,
        sum(sum)::text as sum, min(min)::text as min, max(max)::text as max, bool_and(is_exact) as is_exact
      from usage.read_windows(${scopeOf(request, size)}) as said
      join usage.dimensions as named on named.number = said.dimensions and ${isWanted(request)}
      group by 1, 2 having sum(count) <> 0 order by 1, 2`,
  );
  return found.map(({ window_ms, dimensions, count, sum, min, max, is_exact }) => ({
    windowStart: windowStartOf(window_ms, request),
    dimensions,
    count,
    sum: decimal(sum),
    min: decimal(min),
    max: decimal(max),
    isExact: is_exact,
  }));
}

const quantityOfTotal =
  (aggregation: Exclude<Aggregation, "latest" | "time_weighted_sum" | "unique_count">) =>
  ({ windowStart, dimensions, count, sum, min, max }: UsageTotal): WindowedQuantity => {
    const average = () => inUnit({ aggregation }, Fraction.ofDecimal(sum).dividedBy(new Fraction(count)));
    const quantityIn = {
      count: () => decimal(count),
      sum: () => sum,
      min: () => min,
      max: () => max,
      average,
    };
    return { windowStart, dimensions, quantity: quantityIn[aggregation](), eventCount: count };
  };

async function valueCounts(
  tx: Tx,
  request: UsageRequest,
  size: WindowSize | null,
  totals: readonly UsageTotal[],
): Promise<WindowedQuantity[]> {
  const found = await rows<{ window_ms: bigint | null; dimensions: Dimensions; quantity: bigint }>(
    tx,
    sql`select ${windowMs} as window_ms, ${dimensionsOf(request)} as dimensions, count(distinct value) as quantity
      from usage.read_values(${scopeOf(request, size)}) as said
      join usage.dimensions as named on named.number = said.dimensions and ${isWanted(request)}
      group by 1, 2 order by 1, 2`,
  );
  return found.map(({ window_ms, dimensions, quantity }) => {
    const windowStart = windowStartOf(window_ms, request);
    return {
      windowStart,
      dimensions,
      quantity: decimal(quantity),
      eventCount: eventCountIn(totals, windowStart, dimensions),
    };
  });
}

/** From all that holds, one by one: for the moment until what was taken back is folded. */
async function standingExtremes(
  tx: Tx,
  request: UsageRequest,
  size: WindowSize | null,
): Promise<WindowedQuantity[]> {
  const { customerId, meter, period } = request;
  const zone = sql`(select time_zone from billing.customer where id = ${customerId})`;
  const windowStart =
    size === null ? sql`null::timestamptz` : sql`usage.window_start(${size}, said.at, ${zone})`;
  const found = await rows<{
    window_ms: bigint | null;
    dimensions: Dimensions;
    quantity: string;
    count: bigint;
  }>(
    tx,
    sql`select ${windowMs} as window_ms, ${dimensionsOf(request)} as dimensions, count(*) as count,
        ${sql.raw(meter.aggregation === "min" ? "min" : "max")}(quantity)::text as quantity
      from (
        select said.*, ${windowStart} as window_start
        from usage.standing(${customerNumber(customerId)}, ${meter.number}, ${timestamp(period.start)}, ${timestamp(period.end)}, null) as said
      ) as said
      join usage.dimensions as named on named.number = said.dimensions and ${isWanted(request)}
      group by 1, 2 order by 1, 2`,
  );
  return found.map(({ window_ms, dimensions, quantity, count }) => ({
    windowStart: windowStartOf(window_ms, request),
    dimensions,
    quantity: decimal(quantity),
    eventCount: count,
  }));
}

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

const windowMs = sql`(extract(epoch from said.window_start) * 1000)::int8`;

const windowStartOf = (ms: bigint | null, { period }: UsageRequest): Instant =>
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

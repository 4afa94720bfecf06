import { type Instant, instantOfEpochMs, type Period } from "../../domain/calendar/index.ts";
import {
  type Aggregation,
  type Dimensions,
  dimensionsKey,
  type LevelSpan,
  mergeStates,
  quantityOf,
  type Series,
  type WindowSize,
  windowsOf,
} from "../../domain/metering/index.ts";
import { type Decimal, decimal } from "../../domain/money/index.ts";
import { rows, sql, type Tx } from "../database.ts";
import { timestamp } from "../timestamp.ts";
import { customerNumber } from "./customer-number.ts";
import type { WindowedQuantity } from "./usage-quantities.ts";
import { eventCountIn, isWanted, scopeOf, type UsageRequest, type UsageTotal } from "./usage-totals.ts";

/** The levels of one combination of dimensions, and what it stood at when the period began. */
interface LevelSeries {
  readonly dimensions: Dimensions;
  readonly spans: readonly LevelSpan[];
  readonly carryIn: Decimal | null;
}

/** Quantities of meters that read levels: the latest one, or all of them over the time that each held. */
export async function levelQuantities(
  tx: Tx,
  request: UsageRequest,
  size: WindowSize | null,
  totals: readonly UsageTotal[],
): Promise<WindowedQuantity[]> {
  const { meter, period, groupBy } = request;
  const series = await levelSeries(tx, request, size);
  const grouped = Map.groupBy(series, ({ dimensions }) => dimensionsKey(projected(dimensions, groupBy)));
  const windows = size === null ? [period] : [...windowsOf(period, size, await zoneOf(tx, request))];
  return windows.flatMap((window) =>
    [...grouped].flatMap(([key, ofGroup]) => {
      const dimensions = JSON.parse(key) as Dimensions;
      const within = { start: later(window.start, period.start), end: earlier(window.end, period.end) };
      const parts = ofGroup.map((one) => seriesWithin(one, within, meter.aggregation));
      const eventCount = eventCountIn(totals, window.start, dimensions);
      const isHeld =
        meter.aggregation === "time_weighted_sum" && parts.some(({ carryIn }) => carryIn !== null);
      if (eventCount === 0n && !isHeld) return [];
      return [
        {
          windowStart: window.start,
          dimensions,
          quantity: quantityOf({ aggregation: meter.aggregation }, parts, within),
          eventCount,
        },
      ];
    }),
  );
}

/** Spans were read for windows of that size: each lies in one. */
function seriesWithin(
  { spans, carryIn }: LevelSeries,
  { start, end }: Period,
  aggregation: Aggregation,
): Series {
  const before = spans.filter(({ last }) => last.time < start).map(({ last }) => last);
  const within = spans.filter(({ first }) => first.time >= start && first.time < end);
  // Levels of several series lie between one another: only where each holds by itself are they put in a row.
  const state = { ...mergeStates([]), levels: aggregation === "time_weighted_sum" ? within : [] };
  const latest =
    within
      .map(({ last }) => last)
      .toSorted(inTime)
      .at(-1) ?? null;
  return {
    states: [{ ...state, latest }],
    carryIn: before.toSorted(inTime).at(-1)?.quantity ?? carryIn,
  };
}

const inTime = (one: LevelSpan["last"], other: LevelSpan["last"]) =>
  one.time - other.time || (one.seq < other.seq ? -1 : 1);

interface SpanRow {
  readonly key: string;
  readonly first_ms: bigint;
  readonly first_seq: bigint;
  readonly first_quantity: string;
  readonly last_ms: bigint;
  readonly last_seq: bigint;
  readonly last_quantity: string;
  readonly area: string;
}

async function levelSeries(tx: Tx, request: UsageRequest, size: WindowSize | null): Promise<LevelSeries[]> {
  const spans = await rows<SpanRow>(
    tx,
    sql`select named.key, (extract(epoch from (first).time) * 1000)::int8 as first_ms, (first).seq as first_seq,
        (first).quantity::text as first_quantity, (extract(epoch from (last).time) * 1000)::int8 as last_ms,
        (last).seq as last_seq, (last).quantity::text as last_quantity, area::text as area
      from usage.read_levels(${scopeOf(request, size)}) as said
      join usage.dimensions as named on named.number = said.dimensions and ${isWanted(request)}
      order by 1, 2, 3`,
  );
  const { customerId, meter, period } = request;
  const before =
    meter.aggregation === "latest"
      ? []
      : await rows<{ key: string; quantity: string }>(
          tx,
          sql`select named.key, quantity::text as quantity
            from usage.levels_before(${customerNumber(customerId)}, ${meter.number}, ${timestamp(period.start)}) as said
            join usage.dimensions as named on named.number = said.dimensions and ${isWanted(request)}`,
        );
  const carried = new Map(before.map(({ key, quantity }) => [key, decimal(quantity)]));
  const ofKey = Map.groupBy(spans, ({ key }) => key);
  return [...new Set([...ofKey.keys(), ...carried.keys()])].toSorted().map((key) => ({
    dimensions: JSON.parse(key) as Dimensions,
    spans: (ofKey.get(key) ?? []).map(spanOf),
    carryIn: carried.get(key) ?? null,
  }));
}

const spanOf = (row: SpanRow): LevelSpan => ({
  first: {
    time: instantOfEpochMs(Number(row.first_ms)),
    seq: row.first_seq,
    quantity: decimal(row.first_quantity),
  },
  last: {
    time: instantOfEpochMs(Number(row.last_ms)),
    seq: row.last_seq,
    quantity: decimal(row.last_quantity),
  },
  area: decimal(row.area),
});

async function zoneOf(tx: Tx, { customerId }: UsageRequest): Promise<string> {
  const [row] = await rows<{ zone: string }>(
    tx,
    sql`select time_zone as zone from billing.customer where id = ${customerId}`,
  );
  return row?.zone ?? "UTC";
}

const projected = (dimensions: Dimensions, names: readonly string[] | undefined): Dimensions =>
  names === undefined
    ? dimensions
    : Object.fromEntries(names.map((name) => [name, dimensions[name] ?? ""]).toSorted());

const later = (one: Instant, other: Instant): Instant => (one < other ? other : one);
const earlier = (one: Instant, other: Instant): Instant => (one < other ? one : other);

import { instantOfEpochMs } from "../../domain/calendar/index.ts";
import {
  type Dimensions,
  dimensionsKey,
  type Measurement,
  mergeStates,
  quantityOf,
  type Series,
  stateOf,
} from "../../domain/metering/index.ts";
import { decimal } from "../../domain/money/index.ts";
import { rows, sql, type Tx } from "../database.ts";
import { timestamp } from "../timestamp.ts";
import { customerNumber } from "./customer-number.ts";
import type { UsageQuantity } from "./usage-quantities.ts";
import type { Snapshot } from "./usage-reads.ts";
import { dimensionsOf, isWanted, type UsageRequest } from "./usage-totals.ts";

interface MeasurementRow {
  /** What the request groups by, and the whole series that the measurement is in. */
  readonly dimensions: Dimensions;
  readonly series: bigint;
  readonly at_ms: bigint;
  readonly event_seq: bigint;
  readonly quantity: string;
  readonly value: string | null;
  readonly is_before: boolean;
}

/**
 * The quantities of a meter as a rating run saw them: from every event that its snapshot sees, as the domain adds them up.
 * Slower than reading windows, by as much as there are events.
 */
export async function quantitiesAsOf(
  tx: Tx,
  request: UsageRequest & { readonly visibleIn: Snapshot },
): Promise<UsageQuantity[]> {
  const { period, meter } = request;
  const { aggregation } = meter;
  const found = await standingAsOf(tx, request);
  const groups = Map.groupBy(found, ({ dimensions }) => dimensionsKey(dimensions));
  return [...groups]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, ofGroup]) => {
      const within = ofGroup.filter(({ is_before }) => !is_before);
      const series = [...Map.groupBy(ofGroup, (row) => row.series).values()].map((ofSeries): Series => {
        const carry = ofSeries.find(({ is_before }) => is_before);
        const states = ofSeries
          .filter(({ is_before }) => !is_before)
          .map((row) => stateOf(aggregation, measurementOf(row)));
        return {
          states: [mergeStates(states)],
          carryIn: carry === undefined ? null : decimal(carry.quantity),
        };
      });
      return {
        dimensions: JSON.parse(key) as Dimensions,
        quantity: quantityOf({ aggregation }, series, period),
        eventCount: BigInt(within.length),
      };
    });
}

function measurementOf({ at_ms, event_seq, quantity, value }: MeasurementRow): Measurement {
  const level = { time: instantOfEpochMs(Number(at_ms)), seq: event_seq, quantity: decimal(quantity) };
  return value === null ? level : { ...level, value };
}

/** Contributions that stood then, and of levels the one that held when the period began. */
async function standingAsOf(
  tx: Tx,
  request: UsageRequest & { readonly visibleIn: Snapshot },
): Promise<MeasurementRow[]> {
  const { customerId, meter, period, visibleIn } = request;
  const start = timestamp(period.start);
  const standing = sql`select c.dimensions, c.time, c.event_seq, c.quantity, c.value
    from usage.contribution c
    where c.customer_number = ${customerNumber(customerId)} and c.meter = ${meter.number} and c.time < ${timestamp(period.end)}
      and pg_visible_in_snapshot(c.recorded_xid, ${visibleIn}::pg_snapshot)`;
  const grouped = sql`group by c.dimensions, c.time, c.event_seq, c.quantity, c.value having sum(c.weight) > 0`;
  const before =
    meter.aggregation === "time_weighted_sum"
      ? sql`union all (select distinct on (held.dimensions) held.*, true as is_before from (
          (${standing} and c.time < ${start} ${grouped})
          union all
          select archived.dimensions, usage.archived_before(), 0, archived.quantity, null
          from usage.levels_before(${customerNumber(customerId)}, ${meter.number}, usage.archived_before()) as archived
          where usage.archived_before() > '-infinity'
        ) as held order by held.dimensions, held.time desc, held.event_seq desc)`
      : sql``;
  return await rows<MeasurementRow>(
    tx,
    sql`select ${dimensionsOf(request)} as dimensions, said.dimensions as series, said.event_seq, said.quantity::text as quantity,
        said.value, said.is_before, (extract(epoch from said.time) * 1000)::int8 as at_ms
      from (
        select standing.*, false as is_before from (
          ${standing} and c.time >= ${start} and usage.events_are_here(${start}, ${timestamp(period.end)}) ${grouped}
        ) as standing ${before}
      ) as said join usage.dimensions as named on named.number = said.dimensions and ${isWanted(request)}
      order by said.time, said.event_seq`,
  );
}

import type { SQL } from "drizzle-orm";
import { instantOfEpochMs, type Period } from "../../domain/calendar/index.ts";
import {
  costPeriods,
  looksAtEvents,
  type UsageBuckets,
  type UsagePrice,
} from "../../domain/catalog/index.ts";
import {
  type CostReading,
  type MeterReading,
  type PriceReading,
  type TermsStretch,
  usagePricesOf,
} from "../../domain/invoicing/index.ts";
import { type Decimal, decimal } from "../../domain/money/index.ts";
import { rows, sql, type Tx } from "../database.ts";
import { timestamp } from "../timestamp.ts";
import { fromEventsHere } from "../usage/archived-months.ts";
import { customerNumber } from "../usage/customer-number.ts";
import type { StoredMeter } from "../usage/meters-in-force.ts";
import { type UsageRequest, usageByWindow, usageQuantitiesOf } from "../usage/usage-quantities.ts";
import type { Snapshot } from "../usage/usage-reads.ts";
import { isWanted } from "../usage/usage-totals.ts";
import { costTableVersions } from "./cost-tables.ts";

type BucketMaximum = NonNullable<PriceReading["buckets"]>[number];

export interface PricedStretch {
  readonly customerId: string;
  readonly stretch: TermsStretch;
  readonly meters: readonly StoredMeter[];
  /** As an earlier run saw it. */
  readonly visibleIn?: Snapshot;
  /** The part of the stretch in which a meter is read; null when none of it has come yet. */
  readonly heldPart: (meter: StoredMeter) => Period | null;
}

/** What the prices of a stretch need to know beside the readings of their meters: events, maxima of buckets, costs. */
export async function priceReadings(tx: Tx, priced: PricedStretch): Promise<PriceReading[]> {
  const found: PriceReading[] = [];
  for (const { plan, price } of usagePricesOf(priced.stretch.terms)) {
    const meter = priced.meters.find(({ key }) => key === price.meter);
    const period = meter === undefined ? null : priced.heldPart(meter);
    if (meter === undefined || period === null) continue;
    const { customerId, visibleIn } = priced;
    const asOf = visibleIn === undefined ? {} : { visibleIn };
    const request = { customerId, meter, period, where: price.where, ...asOf };
    const read = await readingFor(tx, price, request);
    if (read !== null) found.push({ planKey: plan.key, priceKey: price.key, ...read });
  }
  return found;
}

/** Whether a price is told more than the readings of its meter. */
export const isToldMore = ({ model, buckets }: UsagePrice): boolean =>
  buckets !== undefined ||
  model.type === "cost_plus" ||
  (model.type === "percentage" && looksAtEvents(model));

type Reading = Omit<PriceReading, "planKey" | "priceKey">;
type Request = UsageRequest & { readonly meter: StoredMeter };

async function readingFor(tx: Tx, { model, buckets }: UsagePrice, request: Request): Promise<Reading | null> {
  if (buckets !== undefined) return { buckets: await bucketMaxima(tx, buckets, request) };
  if (model.type === "cost_plus") return { costs: await costReadings(tx, model.costTable, request) };
  if (model.type === "percentage" && looksAtEvents(model))
    return { events: await eventQuantities(tx, request) };
  return null;
}

async function bucketMaxima(tx: Tx, { per }: UsageBuckets, request: Request): Promise<BucketMaximum[]> {
  if (request.visibleIn !== undefined) return await bucketMaximaAsOf(tx, per, request);
  const found = await usageByWindow(tx, { ...request, groupBy: [], size: per });
  return found.map(({ windowStart, quantity }) => ({ start: windowStart, quantity }));
}

async function bucketMaximaAsOf(
  tx: Tx,
  per: UsageBuckets["per"],
  request: Request,
): Promise<BucketMaximum[]> {
  const zone = sql`(select time_zone from billing.customer where id = ${request.customerId})`;
  const found = await fromEventsHere(
    rows<{ start_ms: bigint; quantity: string }>(
      tx,
      sql`select (extract(epoch from usage.window_start(${per}, said.time, ${zone})) * 1000)::int8 as start_ms,
          max(said.quantity)::text as quantity
        from (${standing(request)}) as said group by 1 order by 1`,
    ),
  );
  return found.map(({ start_ms, quantity }) => ({
    start: instantOfEpochMs(Number(start_ms)),
    quantity: decimal(quantity),
  }));
}

/** What each event that holds contributed, in the order of their times; of one instant as they were accepted. */
async function eventQuantities(tx: Tx, request: Request): Promise<Decimal[]> {
  const found = await fromEventsHere(
    rows<{ quantity: string }>(
      tx,
      sql`select said.quantity::text as quantity from (${standing(request)}) as said order by said.time, said.event_seq`,
    ),
  );
  return found.map(({ quantity }) => decimal(quantity));
}

/** Contributions that hold, or held when a run saw them. */
function standing(request: Request): SQL {
  const { customerId, meter, period, visibleIn } = request;
  const since = timestamp(period.start);
  const until = timestamp(period.end);
  return sql`select c.time, c.event_seq, c.quantity
    from usage.contribution as c
    join usage.dimensions as named on named.number = c.dimensions and ${isWanted(request)}
    where c.customer_number = ${customerNumber(customerId)} and c.meter = ${meter.number}
      and c.time >= ${since} and c.time < ${until} and usage.events_are_here(${since}, ${until})
      and ${visibleIn === undefined ? sql`true` : sql`pg_visible_in_snapshot(c.recorded_xid, ${visibleIn}::pg_snapshot)`}
    group by c.dimensions, c.time, c.event_seq, c.quantity, c.value having sum(c.weight) > 0`;
}

/** A stretch cut where costs change, each part read for itself. */
async function costReadings(tx: Tx, costTable: string, request: Request): Promise<CostReading[]> {
  const parts = costPeriods(await costTableVersions(tx, costTable), request.period);
  const found = await usageQuantitiesOf(
    tx,
    parts.map(({ period }) => ({ ...request, period })),
  );
  const meterKey = request.meter.key;
  return parts.map(({ version }, index) => ({
    version,
    readings: (found[index] ?? []).map(
      ({ dimensions, quantity }): MeterReading => ({ meterKey, dimensions, quantity }),
    ),
  }));
}

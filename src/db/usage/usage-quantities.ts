import type { Instant } from "../../domain/calendar/index.ts";
import { type Aggregation, type Dimensions, inUnit, type WindowSize } from "../../domain/metering/index.ts";
import { type Decimal, decimal, Fraction } from "../../domain/money/index.ts";
import { rows, sql, type Tx } from "../database.ts";
import { timestamp } from "../timestamp.ts";
import { fromEventsHere } from "./archived-months.ts";
import { customerNumber } from "./customer-number.ts";
import { quantitiesAsOf } from "./usage-as-of.ts";
import { levelQuantities } from "./usage-levels.ts";
import {
  dimensionsOf,
  eventCountIn,
  isWanted,
  scopeOf,
  totalsByWindow,
  totalsOfEach,
  type UsageRequest,
  type UsageTotal,
  windowMs,
  windowStartOf,
} from "./usage-totals.ts";

export type { UsageRequest } from "./usage-totals.ts";

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
  const [found = []] = await usageQuantitiesOf(tx, [request]);
  return found;
}

/**
 * The same for each of many requests, in their order. What windows add up to is read of all of them at once, for a
 * tenth of what it takes one by one; call it in `inSnapshot`, so that all is of one moment.
 */
export async function usageQuantitiesOf(
  tx: Tx,
  requests: readonly UsageRequest[],
): Promise<UsageQuantity[][]> {
  const current = requests.filter(({ visibleIn }) => visibleIn === undefined);
  const totals = new Map(
    (await fromEventsHere(totalsOfEach(tx, current))).map((found, index) => [current[index], found]),
  );
  const quantities: UsageQuantity[][] = [];
  for (const request of requests) {
    const { visibleIn } = request;
    const read =
      visibleIn === undefined
        ? quantitiesOf(tx, request, null, totals.get(request) ?? [])
        : quantitiesAsOf(tx, { ...request, visibleIn });
    quantities.push(await fromEventsHere(read));
  }
  return quantities;
}

/** What totals say by themselves; null where single events, levels or values have to be looked at too. */
export function quantitiesOfTotals(
  { meter: { aggregation } }: UsageRequest,
  totals: readonly UsageTotal[],
): WindowedQuantity[] | null {
  switch (aggregation) {
    case "latest":
    case "time_weighted_sum":
    case "unique_count":
      return null;
    case "min":
    case "max":
      return totals.every(({ isExact }) => isExact) ? totals.map(quantityOfTotal(aggregation)) : null;
    default:
      return totals.map(quantityOfTotal(aggregation));
  }
}

/** The same, divided into windows on the customer's clock: for charts. Windows without usage are left out. */
export async function usageByWindow(
  tx: Tx,
  { size, ...request }: UsageRequest & { readonly size: WindowSize },
): Promise<WindowedQuantity[]> {
  const totals = await fromEventsHere(totalsByWindow(tx, request, size));
  const found = await fromEventsHere(quantitiesOf(tx, request, size, totals));
  return found.toSorted((one, other) => one.windowStart - other.windowStart);
}

async function quantitiesOf(
  tx: Tx,
  request: UsageRequest,
  size: WindowSize | null,
  totals: readonly UsageTotal[],
): Promise<WindowedQuantity[]> {
  switch (request.meter.aggregation) {
    case "latest":
    case "time_weighted_sum":
      return await levelQuantities(tx, request, size, totals);
    case "unique_count":
      return await valueCounts(tx, request, size, totals);
    default:
      return quantitiesOfTotals(request, totals) ?? (await standingExtremes(tx, request, size));
  }
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

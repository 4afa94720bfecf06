import { createHash } from "node:crypto";
import { type Instant, instantOfEpochMs } from "../../domain/calendar/index.ts";
import type { Report, Reported } from "../../domain/metering/index.ts";
import { type Decimal, storedDecimal } from "../../domain/money/index.ts";
import { rows, sql, type Tx } from "../database.ts";
import { timestamp } from "../timestamp.ts";

/** A version of a meter of ours whose usage is pushed to Stripe, and Stripe's name of its events. */
export interface PushedMeter {
  readonly number: number;
  readonly key: string;
  readonly version: number;
  readonly eventName: string;
}

/** An hour of a customer's that Stripe was not told of as it is now. */
export interface DifferingWindow {
  readonly meter: number;
  readonly customerId: string;
  readonly windowStart: Instant;
  readonly quantity: Decimal;
}

export interface WindowsToCompare {
  readonly meters: readonly PushedMeter[];
  /** By the wall clock; customers on a test clock have their own. */
  readonly now: Instant;
  /** Customers are looked at in the order of their numbers: after this one, so many. */
  readonly after: bigint;
  readonly customers: number;
}

export interface ComparedWindows {
  readonly differing: readonly DifferingWindow[];
  /** The last customer that was looked at; undefined: there was none. */
  readonly last: bigint | undefined;
}

/**
 * Of the next customers whom Stripe knows, the hours that have ended and of which Stripe was told something else than what the
 * windows hold. Hours that Stripe takes no more, those that ended only now, and those that it refused within a day are left out.
 */
export async function differingWindows(tx: Tx, compare: WindowsToCompare): Promise<ComparedWindows> {
  const numbers = JSON.stringify(compare.meters.map(({ number }) => number));
  const looked = sql`select customer.id, customer.number, coalesce(clock.current_at, ${timestamp(compare.now)}) as now_at
    from billing.customer customer left join billing.test_clock clock on clock.id = customer.test_clock_id
    where customer.number > ${compare.after} and customer.stripe_customer_id is not null
    order by customer.number limit ${compare.customers}`;
  const [range] = await rows<{ last: bigint | null }>(
    tx,
    sql`select max(number) as last from (${looked}) as looked`,
  );
  const found = await rows<{ meter: number; customer_id: string; start_ms: bigint; quantity: string }>(
    tx,
    sql`with looked as (${looked}), pushed as (
        select number as meter, definition ->> 'aggregation' as aggregation from catalog.meter
        where number = any (array(select json_array_elements_text(${numbers}::text::json)::int))
      ), counted as (
        select pushed.meter, looked.id as customer_id, counted.start,
          sum(case pushed.aggregation when 'count' then counted.count else counted.sum end) as quantity
        from looked cross join pushed join usage.window counted on counted.customer_number = looked.number
          and counted.meter = pushed.meter and counted.size = 'hour'
          and counted.start >= looked.now_at - interval '35 days' + interval '1 hour'
        group by 1, 2, 3
      ), told as (
        select push.meter, push.customer_id, push.window_start as start,
          sum(push.value) filter (where push.state <> 'refused') as quantity,
          bool_or(push.state = 'refused' and push.sent_at > ${timestamp(compare.now)} - interval '1 day') as rests
        from looked join stripe.meter_push push on push.customer_id = looked.id
          and push.window_start >= looked.now_at - interval '35 days' + interval '1 hour'
        join pushed on pushed.meter = push.meter group by 1, 2, 3
      )
      select meter, customer_id, (extract(epoch from start) * 1000)::int8 as start_ms,
        coalesce(counted.quantity, 0)::text as quantity
      from counted full join told using (meter, customer_id, start) join looked on looked.id = customer_id
      where coalesce(counted.quantity, 0) <> coalesce(told.quantity, 0) and told.rests is not true
        and start + interval '1 hour 5 minutes' <= looked.now_at
      order by customer_id, meter, start`,
  );
  return { last: range?.last ?? undefined, differing: found.map(differingOf) };
}

const differingOf = (row: {
  meter: number;
  customer_id: string;
  start_ms: bigint;
  quantity: string;
}): DifferingWindow => ({
  meter: row.meter,
  customerId: row.customer_id,
  windowStart: instantOfEpochMs(Number(row.start_ms)),
  quantity: storedDecimal(row.quantity),
});

type Window = Pick<DifferingWindow, "customerId" | "meter" | "windowStart">;

/** Everything that Stripe was told of a window, the oldest first. */
export async function reportedOf(tx: Tx, { meter, customerId, windowStart }: Window): Promise<Reported[]> {
  const found = await rows<Omit<Reported, "sentAt" | "value"> & { value: string; sent_ms: bigint | null }>(
    tx,
    sql`select revision, kind, value::text as value, cancels, state, (extract(epoch from sent_at) * 1000)::int8 as sent_ms
      from stripe.meter_push where meter = ${meter} and customer_id = ${customerId}
        and window_start = ${timestamp(windowStart)} order by revision`,
  );
  return found.map(({ value, sent_ms, ...rest }) => ({
    ...rest,
    value: storedDecimal(value),
    sentAt: sent_ms === null ? null : instantOfEpochMs(Number(sent_ms)),
  }));
}

/** Writes down what is to be told of a window. Nothing where somebody else has meanwhile: a revision is written once. */
export async function planReports(
  tx: Tx,
  meter: PushedMeter,
  window: Window,
  reports: readonly Report[],
): Promise<void> {
  const lines = reports.map(
    ({
      revision,
      kind,
      value,
      cancels,
    }) => sql`(${meter.number}, ${window.customerId}, ${timestamp(window.windowStart)},
      ${revision}::int, ${meter.eventName}, ${kind}, ${value.text}::numeric, ${cancels}::int, ${identifierOf(meter, window, revision)})`,
  );
  await tx.execute(sql`insert into stripe.meter_push
      (meter, customer_id, window_start, revision, event_name, kind, value, cancels, identifier)
    values ${sql.join(lines, sql`, `)} on conflict do nothing`);
}

/** The same for the same revision for ever, and of a length that Stripe takes. */
function identifierOf(
  { key, version }: PushedMeter,
  { customerId, windowStart }: Window,
  revision: number,
): string {
  const fact = `${key}/${version}/${customerId}/${new Date(windowStart).toISOString()}/${revision}`;
  return `reckoner_${createHash("sha256").update(fact).digest("hex")}`;
}

/** Which versions of meters there are of those that are named, and whether their usage adds up hour by hour. */
export async function namedMeters(
  tx: Tx,
  named: readonly { readonly key: string; readonly version: number; readonly eventName: string }[],
): Promise<(PushedMeter & { readonly aggregation: string })[]> {
  return await rows<PushedMeter & { aggregation: string }>(
    tx,
    sql`select meter.number, meter.key, meter.version, meter.definition ->> 'aggregation' as aggregation, named."eventName"
      from json_to_recordset(${JSON.stringify(named)}::text::json) as named (key text, version int, "eventName" text)
      join catalog.meter meter on meter.key = named.key and meter.version = named.version order by named."eventName"`,
  );
}

import { isoOf } from "../../domain/calendar/index.ts";
import { type AccountingMonth, periodOfMonth } from "../../domain/ledger/accounting-month.ts";
import { type Decimal, decimal } from "../../domain/money/index.ts";
import type { Database } from "../database.ts";
import type { ArchivedEvent } from "./archive-format.ts";

/** The table that holds the events of a month, attached to usage.event or not. */
export const tableOf = (month: AccountingMonth): string => `event_${month.replace("-", "_")}`;

/** Months whose events are in usage.event, oldest first. */
export async function attachedMonths({ sql }: Database): Promise<AccountingMonth[]> {
  const found = await sql<{ month: AccountingMonth }[]>`
    select replace(substr(relname, 7), '_', '-') as month from pg_inherits join pg_class on pg_class.oid = inhrelid
    where inhparent = 'usage.event'::regclass order by 1`;
  return found.map(({ month }) => month);
}

/** All events of a month in the order they were taken in, in pages: so many are in memory at a time. */
export async function* eventPages(
  { sql }: Database,
  month: AccountingMonth,
  pageSize: number,
): AsyncGenerator<ArchivedEvent[]> {
  const micros = (column: string) => sql.unsafe(`(extract(epoch from ${column}) * 1000000)::int8`);
  for (let after = -1n; ; ) {
    const page = await sql<ArchivedEvent[]>`
      select e.seq, ${micros("e.time")} as time, ${micros("e.recorded_at")} as recorded_at,
        e.recorded_xid::text::int8 as recorded_xid, customer.id as customer, e.type, e.source, e.id, e.data::text as data,
        said.meters, said.dimensions, e.quantities::text[] as quantities,
        coalesce(e.distinct_values, '{}') as distinct_values
      from usage.${sql(tableOf(month))} as e
      join billing.customer on customer.number = e.customer_number
      cross join lateral (
        select coalesce(array_agg(m.key || '@' || m.version order by place), '{}') as meters,
          coalesce(array_agg(d.key order by place), '{}') as dimensions
        from unnest(e.meters, e.dimensions) with ordinality as c (meter, dimensions, place)
        join catalog.meter m on m.number = c.meter join usage.dimensions d on d.number = c.dimensions
      ) as said
      where e.seq > ${after.toString()}::text::int8 order by e.seq limit ${pageSize}`;
    const last = page.at(-1);
    if (last === undefined) return;
    yield [...page];
    after = last.seq;
  }
}

/** What events contributed to a version of a meter. */
export interface ContributionSum {
  /** Such as `tokens@2`. */
  readonly meter: string;
  readonly count: number;
  readonly sum: string;
}

/** The sums of a month as the database adds them up, with the numbers of the meters. */
export async function storedSums(
  { sql }: Database,
  month: AccountingMonth,
): Promise<(ContributionSum & { readonly number: number })[]> {
  const found = await sql<{ number: number; meter: string; count: bigint; sum: string }[]>`
    select m.number, m.key || '@' || m.version as meter, count(*) as count, sum(c.quantity)::text as sum
    from usage.${sql(tableOf(month))} as e cross join lateral unnest(e.meters, e.quantities) as c (meter, quantity)
    join catalog.meter m on m.number = c.meter group by 1, 2 order by 1`;
  return found.map(({ count, sum, ...meter }) => ({
    ...meter,
    count: Number(count),
    sum: decimal(sum).text,
  }));
}

/** The same, added up event by event. */
export function contributionSums() {
  const sums = new Map<string, { count: number; sum: Decimal }>();
  return {
    add(events: readonly ArchivedEvent[]) {
      for (const { meters, quantities } of events) {
        for (const [place, meter] of meters.entries()) {
          const { count, sum } = sums.get(meter) ?? { count: 0, sum: decimal("0") };
          sums.set(meter, { count: count + 1, sum: sum.plus(decimal(quantities[place] ?? "")) });
        }
      }
    },
    of: (meter: string) => ({ count: sums.get(meter)?.count ?? 0, sum: sums.get(meter)?.sum.text ?? "0" }),
    meters: () => [...sums.keys()],
  };
}

/** How many events the table of a month holds. */
export async function eventCountOf({ sql }: Database, month: AccountingMonth): Promise<number> {
  const [row] = await sql<[{ events: bigint }]>`select count(*) as events from usage.${sql(tableOf(month))}`;
  return Number(row.events);
}

/** How many events of a month are in quarantine: they stay there. */
export async function quarantinedOf({ sql }: Database, month: AccountingMonth): Promise<number> {
  const { start, end } = periodOfMonth(month);
  const [row] = await sql<[{ events: bigint }]>`
    select count(*) as events from usage.pending_event
    where time >= ${isoOf(start)}::text::timestamptz and time < ${isoOf(end)}::text::timestamptz`;
  return Number(row.events);
}

import { expect } from "vitest";
import type { Database } from "../../src/db/database.ts";
import { publishedMeters } from "../../src/db/usage/meters-in-force.ts";
import { usageQuantities } from "../../src/db/usage/usage-quantities.ts";
import { type CustomerCount, customers, everything, meters, type SoakCount } from "./soak-events.ts";

/** One line for a customer, a meter and, of windows, a size: `cus_7 tokens 1500 events 6141234`. */
type Line = string;

const lineOf = (customer: string, meter: string, events: unknown, quantity: unknown): Line =>
  `${customer} ${meter} ${events} events ${quantity}`;

/** Every event is there once, nothing else is, and of each contradiction one. */
export async function expectEvents({ sql }: Database, events: number, count: SoakCount): Promise<void> {
  const [kept] = await sql`
    select count(*)::int as events, count(distinct id)::int as ids, min(index)::int as least, max(index)::int as greatest,
      (select count(*)::int from usage.event_key) as keys,
      (select count(*)::int from usage.quarantined_event) as quarantined
    from (select id, split_part(id, '-', 2)::bigint as index from usage.event) as e`;
  const whole = { events, ids: events, least: 0, greatest: events - 1, keys: events, quarantined: 0 };
  expect({ ...kept }).toEqual(whole);
  const [contradicted] = await sql`
    select count(*)::int as conflicts, count(distinct c.event_seq)::int as events,
      coalesce(sum(split_part(e.id, '-', 2)::bigint), 0)::text as sum,
      count(*) filter (where (c.data->>'tokens')::int <> (e.data->>'tokens')::int + 1)::int as wrong
    from usage.event_conflict c join usage.event e on e.seq = c.event_seq`;
  expect({ ...contradicted }).toEqual({
    conflicts: count.contradicted,
    events: count.contradicted,
    sum: String(count.contradictedSum),
    wrong: 0,
  });
}

/** What the events say, what the windows of each size say, and what a reader is told: all what the generator counted. */
export async function expectCounted(db: Database, count: SoakCount): Promise<void> {
  const expected = customers.flatMap(({ id }, customer) =>
    meters.map(({ key }) => expectedLine(id, key, count.byCustomer[customer])),
  );
  const { sql } = db;
  const contributions = await sql<LineRow[]>`
    select c.id as customer, m.key as meter, said.events, said.quantity
    from (
      select customer_number, meter, sum(weight)::text as events, trim_scale(sum(quantity * weight))::text as quantity
      from usage.contribution group by 1, 2
    ) as said join billing.customer c on c.number = customer_number join catalog.meter m on m.number = meter`;
  expect(linesOf(contributions), "contributions").toEqual(expected.toSorted());
  for (const size of ["minute", "hour", "day"]) {
    const windows = await sql<LineRow[]>`
      select c.id as customer, m.key as meter, sum(count)::text as events, trim_scale(sum(sum))::text as quantity
      from usage.window join billing.customer c on c.number = customer_number join catalog.meter m on m.number = meter
      where size = ${size} group by 1, 2`;
    expect(linesOf(windows), `windows of a ${size}`).toEqual(expected.toSorted());
  }
  expect((await readLines(db)).toSorted(), "read").toEqual(expected.toSorted());
}

interface LineRow {
  readonly customer: string;
  readonly meter: string;
  readonly events: string;
  readonly quantity: string;
}

const linesOf = (rows: readonly LineRow[]): Line[] =>
  rows.map(({ customer, meter, events, quantity }) => lineOf(customer, meter, events, quantity)).toSorted();

function expectedLine(customer: string, meter: string, count: CustomerCount | undefined): Line {
  const { events = 0, tokens = 0, computeMs = 0 } = count ?? {};
  return lineOf(customer, meter, events, meter === "tokens" ? tokens : computeMs / 1_000);
}

/** As `usage.read_windows` answers the API. */
async function readLines({ orm }: Database): Promise<Line[]> {
  const lines: Line[] = [];
  const published = await publishedMeters(orm);
  for (const { id } of customers) {
    for (const meter of published) {
      const [total] = await usageQuantities(orm, {
        customerId: id,
        meter,
        period: everything,
        groupBy: [],
      });
      lines.push(lineOf(id, meter.key, total?.eventCount, total?.quantity.text));
    }
  }
  return lines;
}

import type { WindowSize } from "../../domain/metering/index.ts";
import type { Database } from "../database.ts";

/** A customer's month on his own clock: what is compared, and put right, in one step. */
export interface WindowSlice {
  readonly customerNumber: bigint;
  /** Undefined when windows stand for a customer who is not there. */
  readonly customerId: string | undefined;
  /** Such as `2026-03`. */
  readonly month: string;
}

/** A row of a window that is not what the events say. */
export interface WindowDifference {
  /** Sums are of every meter; values of those that count them; levels of those that read them. */
  readonly kind: "sums" | "values" | "levels";
  /** `customer 7` when nobody has the number. */
  readonly customer: string;
  /** `key@version`, or `meter 7` when nothing has the number. */
  readonly meter: string;
  readonly size: WindowSize;
  /** ISO 8601, UTC. */
  readonly start: string;
  /** Canonical JSON. */
  readonly dimensions: string;
  /** Null: the row is missing. */
  readonly stored: Readonly<Record<string, string>> | null;
  /** Null: there should be none. */
  readonly expected: Readonly<Record<string, string>> | null;
}

export interface SliceFilter {
  /** All customers when left out. */
  readonly customerId?: string | undefined;
  /** Such as `2026-03`; all when left out. */
  readonly month?: string | undefined;
}

/** How far a walk over slices is. */
export interface SliceProgress {
  readonly slice: WindowSlice;
  /** From 0 to 1, taking customers as equally large. */
  readonly fraction: number;
}

const customersOfPage = 500;

/** Every month of every customer, those without anything left out. Holds one page of customers in memory. */
export async function* windowSlices(
  db: Database,
  { customerId, month }: SliceFilter,
): AsyncGenerator<SliceProgress> {
  const customers = await customerCount(db, customerId);
  let before = 0;
  for await (const customer of customersWithWindows(db, customerId)) {
    const months = await monthsOf(db, customer.number, month);
    for (const [index, ofMonth] of months.entries()) {
      yield {
        slice: { customerNumber: customer.number, customerId: customer.id ?? undefined, month: ofMonth },
        fraction: Math.min(1, (before + index / months.length) / customers),
      };
    }
    before++;
  }
}

interface FoundCustomer {
  readonly number: bigint;
  readonly id: string | null;
}

async function customerCount({ sql }: Database, customerId: string | undefined): Promise<number> {
  if (customerId !== undefined) return 1;
  const [row] = await sql<[{ customers: number }]>`select count(*)::int as customers from billing.customer`;
  return Math.max(1, row.customers);
}

async function* customersWithWindows(
  { sql }: Database,
  customerId: string | undefined,
): AsyncGenerator<FoundCustomer> {
  for (let after = 0n; ; ) {
    const page = await sql<FoundCustomer[]>`
      select number, id from billing.customer
      where number > ${`${after}`}::int8 and (${customerId ?? null}::text is null or id = ${customerId ?? null})
      order by number limit ${customersOfPage}`;
    yield* page;
    const last = page.at(-1);
    if (last === undefined) break;
    after = last.number;
  }
  if (customerId !== undefined) return;
  yield* await sql<FoundCustomer[]>`
    select distinct customer_number as number, null as id
    from (
      select customer_number from usage.window union select customer_number from usage.window_level
      union select customer_number from usage.window_value
    ) as w
    where not exists (select from billing.customer c where c.number = w.customer_number) order by 1`;
}

async function monthsOf({ sql }: Database, customer: bigint, month: string | undefined): Promise<string[]> {
  const found = await sql<{ month: string }[]>`
    select to_char(month, 'YYYY-MM') as month from usage.months_of_customer(${`${customer}`}::int8) as month
    where month is not null order by 1`;
  return found.map((row) => row.month).filter((ofCustomer) => month === undefined || ofCustomer === month);
}

interface DifferenceRow {
  readonly kind: WindowDifference["kind"];
  readonly meter: string;
  readonly size: WindowSize;
  readonly start: string;
  readonly dimensions: string;
  readonly stored: Record<string, string> | null;
  readonly expected: Record<string, string> | null;
}

const rowsAtOnce = 1_000;

/** What of a slice is not what the events say, as of one moment: taking in and folding go on meanwhile. */
export function compareSlice(db: Database, slice: WindowSlice): AsyncGenerator<WindowDifference> {
  const { customerNumber, month } = slice;
  const { sql } = db;
  return differences(
    db,
    slice,
    sql`usage.customer_month(${`${customerNumber}`}::int8, ${`${month}-01`}::text::date) as slice
      cross join lateral usage.window_differences(
        ${`${customerNumber}`}::int8, slice.starts, slice.ends, '{sums,values,levels}') as w`,
  );
}

/** The same, and all of it is put right in one commit. Folding waits for it; taking in and reading do not. */
export function repairSlice(db: Database, slice: WindowSlice): AsyncGenerator<WindowDifference> {
  const { sql } = db;
  return differences(
    db,
    slice,
    sql`usage.repair_windows(${`${slice.customerNumber}`}::int8, ${`${slice.month}-01`}::text::date) as w`,
  );
}

async function* differences(
  { sql }: Database,
  { customerId, customerNumber }: WindowSlice,
  source: ReturnType<Database["sql"]>,
): AsyncGenerator<WindowDifference> {
  const found = sql<DifferenceRow[]>`
    select w.kind, coalesce(m.key || '@' || m.version, 'meter ' || w.meter) as meter, w.size,
      to_char(w.start at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as start,
      coalesce(d.key, 'dimensions ' || w.dimensions) as dimensions, w.stored, w.expected
    from ${source}
    left join catalog.meter m on m.number = w.meter left join usage.dimensions d on d.number = w.dimensions
    order by w.start, w.size, w.meter, w.dimensions, w.kind, w.value`.cursor(rowsAtOnce);
  const customer = customerId ?? `customer ${customerNumber}`;
  for await (const page of found) yield* page.map((row) => ({ customer, ...row }));
}

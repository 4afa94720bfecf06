import type { Instant } from "../../domain/calendar/index.ts";
import { arrayLiteral } from "../array-literal.ts";
import { rows, sql, type Tx } from "../database.ts";
import type { StoredMeter } from "./meters-in-force.ts";

/** Numbers of combinations of dimension values by their canonical text. */
export type DimensionNumbers = ReadonlyMap<string, bigint>;

/** How the database is asked, on a pool or in a transaction; `list` is the text of one. */
export interface NumberSource {
  /** `select number, was_there from usage.dimension_numbers(list)` */
  dimensionNumbers(
    list: string,
  ): Promise<readonly { readonly number: bigint; readonly was_there: boolean }[]>;
  /** `select id, number::text, was_there from billing.customer`, of those in the list that there are. */
  customerNumbers(
    list: string,
  ): Promise<readonly { readonly id: string; readonly number: string; readonly was_there: boolean }[]>;
  /** `usage.make_room(list)`, in milliseconds since 1970 */
  openMonths(list: string): Promise<readonly { readonly ms: bigint; readonly is_archived: boolean }[]>;
}

/** How customers are asked for, but for which. */
export const customersAsked = `select id, number::text,
  xmin::text is distinct from pg_current_xact_id_if_assigned()::xid::text as was_there from billing.customer`;

/** Asked in a transaction. */
export const numberSourceOf = (tx: Tx): NumberSource => ({
  dimensionNumbers: (list) =>
    rows(tx, sql`select number, was_there from usage.dimension_numbers(${list}::text::text[])`),
  customerNumbers: (list) => rows(tx, sql`${sql.raw(customersAsked)} where id = any (${list}::text::text[])`),
  openMonths: (list) =>
    rows(
      tx,
      sql`select (extract(epoch from month) * 1000)::int8 as ms, is_archived from usage.make_room(${list}::text::timestamptz[])`,
    ),
});

/**
 * What a process remembers of one database: the numbers and months that were there before its own transaction, so that
 * they are there also when that is undone.
 */
interface Known {
  readonly dimensions: Map<string, bigint>;
  readonly customers: Map<string, string>;
  readonly months: Set<number>;
}

const knownBeside = new WeakMap<readonly StoredMeter[], Known>();

/** Of each kind; some 100 bytes each. */
const numbersMax = 200_000;

/** A list of meters was read from the database that the numbers are of. */
function knownOf(meters: readonly StoredMeter[]): Known {
  const found = knownBeside.get(meters) ?? { dimensions: new Map(), customers: new Map(), months: new Set() };
  knownBeside.set(meters, found);
  return found;
}

/** The numbers of combinations of dimension values; those that are new get one. */
export async function dimensionNumbers(
  asked: Pick<NumberSource, "dimensionNumbers">,
  meters: readonly StoredMeter[],
  keys: readonly string[],
): Promise<DimensionNumbers> {
  const { dimensions } = knownOf(meters);
  const missing = [...new Set(keys.filter((key) => !dimensions.has(key)))];
  if (missing.length === 0) return dimensions;
  const found = await asked.dimensionNumbers(arrayLiteral(missing));
  const told = found.map((row, place) => ({ ...row, key: missing[place] ?? "" }));
  return withTold(dimensions, keys, told);
}

/**
 * The number of each of these customers. One without a number is not known to anybody yet, and so is asked for every time.
 */
export async function customerNumbers(
  asked: Pick<NumberSource, "customerNumbers">,
  meters: readonly StoredMeter[],
  ids: readonly string[],
): Promise<readonly (string | undefined)[]> {
  const { customers } = knownOf(meters);
  const numbers = ids.map((id) => customers.get(id));
  if (!numbers.includes(undefined)) return numbers;
  const missing = [...new Set(ids.filter((_, place) => numbers[place] === undefined))];
  const found = await asked.customerNumbers(arrayLiteral(missing));
  const told = withTold(
    customers,
    [],
    found.map(({ id, ...row }) => ({ ...row, key: id })),
  );
  return ids.map((id, place) => numbers[place] ?? told.get(id));
}

/** The numbers of these keys, as they were known and as was told; what will stay is remembered. */
function withTold<Number>(
  known: Map<string, Number>,
  keys: readonly string[],
  told: readonly { readonly key: string; readonly number: Number; readonly was_there: boolean }[],
): ReadonlyMap<string, Number> {
  const numbers = new Map<string, Number>();
  for (const key of keys) {
    const number = known.get(key);
    if (number !== undefined) numbers.set(key, number);
  }
  if (known.size + told.length > numbersMax) known.clear();
  for (const { key, number, was_there } of told) {
    numbers.set(key, number);
    if (was_there) known.set(key, number);
  }
  return numbers;
}

/**
 * Makes room for events of the months (UTC) of these times.
 * @returns whether the month of one of them is archived: it takes no events any more
 */
export async function openMonths(
  asked: Pick<NumberSource, "openMonths">,
  meters: readonly StoredMeter[],
  times: readonly Instant[],
): Promise<(time: Instant) => boolean> {
  const { months } = knownOf(meters);
  const missing = new Map<number, Instant>();
  let [from, to] = [0, 0];
  for (const time of times) {
    // Most are of the month of the one before.
    if (time >= from && time < to) continue;
    const month = monthOf(time);
    if (!months.has(month)) missing.set(month, time);
    [from, to] = [
      Date.UTC(Math.floor(month / 12), month % 12),
      Date.UTC(Math.floor(month / 12), (month % 12) + 1),
    ];
  }
  if (missing.size === 0) return () => false;
  const list = arrayLiteral([...missing.values()].map((time) => new Date(time).toISOString()));
  const told = new Map(
    (await asked.openMonths(list)).map(({ ms, is_archived }) => [monthOf(Number(ms)), is_archived]),
  );
  for (const month of missing.keys()) if (!told.has(month)) months.add(month);
  return (time) => told.get(monthOf(time)) === true;
}

/** One of the months that were there has been archived. */
export function forgetMonths(meters: readonly StoredMeter[]): void {
  knownOf(meters).months.clear();
}

/** Months since the year 0. */
function monthOf(time: number): number {
  const date = new Date(time);
  return date.getUTCFullYear() * 12 + date.getUTCMonth();
}

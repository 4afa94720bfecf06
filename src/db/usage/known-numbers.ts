import type { Instant } from "../../domain/calendar/index.ts";
import { rows, sql, type Tx } from "../database.ts";
import { arrayLiteral } from "./array-literal.ts";
import type { StoredMeter } from "./meters-in-force.ts";

/** Numbers of combinations of dimension values by their canonical text. */
export type DimensionNumbers = ReadonlyMap<string, bigint>;

/** How the database is asked, on a pool or in a transaction; `list` is the text of one. */
export interface NumberSource {
  /** `select number, was_there from usage.dimension_numbers(list)` */
  dimensionNumbers(
    list: string,
  ): Promise<readonly { readonly number: bigint; readonly was_there: boolean }[]>;
  /** `usage.make_room(list)`, in milliseconds since 1970 */
  openMonths(list: string): Promise<readonly { readonly ms: bigint; readonly is_archived: boolean }[]>;
}

/** Asked in a transaction. */
export const numberSourceOf = (tx: Tx): NumberSource => ({
  dimensionNumbers: (list) =>
    rows(tx, sql`select number, was_there from usage.dimension_numbers(${list}::text::text[])`),
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
  readonly months: Set<number>;
}

const knownBeside = new WeakMap<readonly StoredMeter[], Known>();

/** Some 100 bytes each. */
const dimensionsMax = 200_000;

/** A list of meters was read from the database that the numbers are of. */
function knownOf(meters: readonly StoredMeter[]): Known {
  const found = knownBeside.get(meters) ?? { dimensions: new Map(), months: new Set() };
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
  const numbers = new Map(
    keys.flatMap((key) => {
      const number = dimensions.get(key);
      return number === undefined ? [] : [[key, number] as const];
    }),
  );
  if (dimensions.size + found.length > dimensionsMax) dimensions.clear();
  for (const [place, { number, was_there }] of found.entries()) {
    const key = missing[place] ?? "";
    numbers.set(key, number);
    if (was_there) dimensions.set(key, number);
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
  const missing = new Map(
    times.filter((time) => !months.has(monthOf(time))).map((time) => [monthOf(time), time]),
  );
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

import { type Database, rows, sql, type Tx } from "../../src/db/database.ts";
import { type Dice, oneOf } from "../support/dice.ts";

/** What somebody with every right, and no trigger in the way, has done to single rows of the ledger. */
export interface Mutation {
  readonly what: string;
  /** In any order; each must be named by one of its ways to be named. */
  readonly rows: readonly MutatedRow[];
}

export interface MutatedRow {
  /** Table and key, as a finding says them: before it was changed and after; any of them will do. */
  readonly names: readonly string[];
  /** The row is newer than every seal: it is enough that it is counted as such. */
  readonly isUnsealed?: true;
}

/** A table of the schema `ledger`, as the catalog describes it; partitions are in what they are parts of. */
export interface LedgerTable {
  readonly table: string;
  /** Its primary key; what names its rows where it has none. */
  readonly key: readonly string[];
  readonly columns: readonly { readonly name: string; readonly type: string; readonly isNullable: boolean }[];
  /** Of every other unique index, its last column: a copy of a row must differ there too. */
  readonly unique: readonly string[];
}

export async function ledgerTables({ orm }: Pick<Database, "orm">): Promise<LedgerTable[]> {
  return await rows<LedgerTable>(
    orm,
    sql`
      select relname as table,
        coalesce((
          select jsonb_agg(attname order by array_position(indkey::int2[], attnum))
          from pg_index join pg_attribute on attrelid = indrelid and attnum = any (indkey)
          where indrelid = pg_class.oid and indisprimary), '["account_id"]') as key,
        (select jsonb_agg(jsonb_build_object('name', attname, 'type', format_type(atttypid, null), 'isNullable', not attnotnull) order by attnum)
          from pg_attribute where attrelid = pg_class.oid and attnum > 0 and not attisdropped) as columns,
        (select coalesce(jsonb_agg(distinct attname), '[]')
          from pg_index join pg_attribute on attrelid = indrelid and attnum = indkey[indnkeyatts - 1]
          where indrelid = pg_class.oid and indisunique and not indisprimary) as unique
      from pg_class
      where relnamespace = 'ledger'::regnamespace and relkind in ('r', 'p') and not relispartition
      order by relname`,
  );
}

/** Lets single values be wrong: keys stay unique, and all else is only what a CHECK would have refused. */
export async function withoutChecks(tx: Pick<Tx, "execute">): Promise<void> {
  await tx.execute(sql`
    do $$
    declare
      rule record;
    begin
      for rule in
        select conrelid::regclass as target, conname from pg_constraint
        where connamespace = 'ledger'::regnamespace and contype = 'c' and conparentid = 0 and coninhcount = 0
      loop
        execute format('alter table %s drop constraint %I', rule.target, rule.conname);
      end loop;
      alter table ledger.account alter id drop identity;
    end
    $$`);
}

/** Does something at random to a random row of a table; null when there is no such row, or the database keeps it from being done. */
export async function mutate(tx: Tx, dice: Dice, table: LedgerTable): Promise<Mutation | null> {
  const kind = oneOf(dice, [change, change, change, insert, insert, remove, cutTail, cutTailWithSeals]);
  try {
    return await tx.transaction((inner) => kind(inner, dice, table));
  } catch (error) {
    if (refusals.has(sqlStateOf(error))) return null;
    throw error;
  }
}

/** Uniqueness, missing partitions, null where there must be something: not even the superuser gets by without rebuilding the table. */
const refusals = new Set(["23505", "23514", "23502"]);

function sqlStateOf(error: unknown): string {
  for (let at = error; at instanceof Error; at = at.cause) if ("code" in at) return String(at.code);
  return "";
}

const keyTextOf = ({ key }: LedgerTable) =>
  `concat_ws('/', ${key.map((column) => (column === "month" ? "to_char(month, 'YYYY-MM-DD')" : column)).join(", ")})`;

/** A row by its place, which is all that tells rows without a key apart. */
async function placeOf(tx: Tx, dice: Dice, { table }: LedgerTable): Promise<string | null> {
  const places = await rows<{ place: string }>(
    tx,
    sql.raw(
      `select tableoid::text || ' ' || ctid::text as place from ledger.${table} order by tableoid, ctid`,
    ),
  );
  return places.length === 0 ? null : oneOf(dice, places).place;
}

const at = (place: string) => `tableoid::text || ' ' || ctid::text = '${place}'`;

async function change(tx: Tx, dice: Dice, table: LedgerTable): Promise<Mutation | null> {
  const place = await placeOf(tx, dice, table);
  if (place === null) return null;
  const column = oneOf(dice, table.columns);
  const value = oneOf(dice, otherValues(column.name, column.type, column.isNullable, table.table));
  const [row] = await rows<{ key: string }>(
    tx,
    sql.raw(`select ${keyTextOf(table)} as key from ledger.${table.table} where ${at(place)}`),
  );
  const changed = await rows<{ key: string }>(
    tx,
    sql.raw(`
      update ledger.${table.table} set ${column.name} = ${value}
      where ${at(place)} and ${column.name} is distinct from ${value} returning ${keyTextOf(table)} as key`),
  );
  if (changed.length === 0) return null;
  const keys = [row?.key ?? "", ...changed.map(({ key }) => key)];
  return {
    what: `${table.table} ${keys[0]}: ${column.name} = ${value}`,
    rows: [{ names: keys.flatMap((key) => namesOf(table.table, key)) }],
  };
}

async function remove(tx: Tx, dice: Dice, table: LedgerTable): Promise<Mutation | null> {
  const place = await placeOf(tx, dice, table);
  if (place === null) return null;
  return await removeWhere(tx, table, at(place), "deleted");
}

/** The last rows, by their keys. */
async function cutTail(tx: Tx, dice: Dice, table: LedgerTable): Promise<Mutation | null> {
  const order = table.key.map((column) => `${column} desc`).join(", ");
  const tail = `(tableoid, ctid) in (select tableoid, ctid from ledger.${table.table} order by ${order} limit ${1 + dice(4)})`;
  return await removeWhere(tx, table, tail, "cut off");
}

/** What the last seals cover of a table, and these seals, so that the database agrees with itself. */
async function cutTailWithSeals(tx: Tx, dice: Dice, table: LedgerTable): Promise<Mutation | null> {
  const [from] = await rows<{ number: bigint; xid: string }>(
    tx,
    sql.raw(
      `select number, from_xid::text as xid from ledger.seal order by number desc offset ${dice(2)} limit 1`,
    ),
  );
  if (from === undefined || !table.columns.some(({ name }) => name === "recorded_xid")) return null;
  const cut = await removeWhere(tx, table, `recorded_xid >= '${from.xid}'`, "cut off with their seals");
  if (cut === null) return null;
  const seals = await rows<{ number: bigint }>(
    tx,
    sql.raw(`delete from ledger.seal where number >= ${from.number} returning number`),
  );
  return {
    ...cut,
    rows: [...cut.rows, ...seals.map(({ number }) => ({ names: namesOf("seal", String(number)) }))],
  };
}

async function removeWhere(tx: Tx, table: LedgerTable, where: string, how: string): Promise<Mutation | null> {
  const removed = await rows<{ key: string }>(
    tx,
    sql.raw(`delete from ledger.${table.table} where ${where} returning ${keyTextOf(table)} as key`),
  );
  if (removed.length === 0) return null;
  return {
    what: `${table.table} ${removed.map(({ key }) => key).join(", ")}: ${how}`,
    rows: removed.map(({ key }) => ({ names: namesOf(table.table, key) })),
  };
}

/** A copy of a row under another key: among what is sealed, or, where it says who recorded it, as if it came just now. */
async function insert(tx: Tx, dice: Dice, table: LedgerTable): Promise<Mutation | null> {
  const place = await placeOf(tx, dice, table);
  if (place === null) return null;
  const isRecordedNow = table.columns.some(({ name }) => name === "recorded_xid") && dice(2) === 0;
  const changedColumns = table.columns
    .filter(
      ({ name }) =>
        name === oneOf(dice, table.key) || name === table.key.at(-1) || table.unique.includes(name),
    )
    .map(({ name, type }) => [name, freshValue(name, type, table.table)] as const);
  const values = table.columns.map(({ name }) => {
    if (name === "recorded_xid" && isRecordedNow) return "pg_current_xact_id()";
    const fresh = changedColumns.find(([column]) => column === name);
    return table.table === "balance_delta" || fresh === undefined ? name : fresh[1];
  });
  const inserted = await rows<{ key: string }>(
    tx,
    sql.raw(`
      insert into ledger.${table.table} select ${values.join(", ")} from ledger.${table.table} where ${at(place)}
      returning ${keyTextOf(table)} as key`),
  );
  return {
    what: `${table.table} ${inserted[0]?.key}: inserted${isRecordedNow ? " now" : ""}`,
    rows: inserted.map(({ key }) => ({
      names: namesOf(table.table, key),
      ...(isRecordedNow && { isUnsealed: true as const }),
    })),
  };
}

/** A delta of a hot account has no key: what is wrong with it is said of its account's balance, of which it is a part. */
const namesOf = (table: string, key: string): string[] =>
  table === "balance_delta" ? [`balance_delta ${key}`, `account_balance ${key}`] : [`${table} ${key}`];

function freshValue(column: string, type: string, table: string): string {
  const largest = `(select max(${column}) from ledger.${table})`;
  switch (type) {
    case "text":
      return `coalesce(${column}, '') || '-2'`;
    case "uuid":
      return "gen_random_uuid()";
    case "bytea":
      return `sha256(${column})`;
    case "date":
      return `(${largest} + interval '1 month')::date`;
    default:
      return `${largest} + 1`;
  }
}

/** Other values of a column, as SQL: near misses, far ones, and what another row has. */
function otherValues(column: string, type: string, isNullable: boolean, table: string): string[] {
  const ofAnother = `(select other.${column} from ledger.${table} as other where other.${column} is distinct from ${table}.${column} limit 1)`;
  return [ofAnother, ...(isNullable ? ["null"] : []), ...valuesOfType(column, type)];
}

function valuesOfType(column: string, type: string): string[] {
  switch (type) {
    case "text":
      return [`coalesce(${column}, '') || 'x'`, "''", `upper(${column})`];
    case "jsonb":
      return [`${column} || '{"x": "y"}'`, "'{}'"];
    case "bytea":
      return ["'\\x01'", `sha256(${column})`];
    case "uuid":
      return ["gen_random_uuid()"];
    case "xid8":
      return ["'3'", "'9000000000'", `(${column}::text::numeric + 1)::text::xid8`];
    case "boolean":
      return [`not ${column}`];
    case "date":
      return [
        `(${column} + interval '1 month')::date`,
        `(${column} - interval '1 month')::date`,
        `${column} + 1`,
      ];
    case "text[]":
      return [`${column} || '{x}'::text[]`, "'{}'"];
    case "timestamp with time zone":
      return [`${column} + interval '1 microsecond'`, `${column} - interval '1 day'`, "'infinity'"];
    case "numeric":
      return [`coalesce(${column}, 0) + 1`, `coalesce(${column}, 0) - 1`, `-${column}`, "0", "'NaN'"];
    default:
      return [
        `coalesce(${column}, 0) + 1`,
        `coalesce(${column}, 0) - 1`,
        "0",
        `coalesce(${column}, 0) + 1000`,
      ];
  }
}

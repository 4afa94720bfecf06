import type postgres from "postgres";
import { parse } from "postgres-array";
import { arrayLiteral } from "./array-literal.ts";

type Item = string | number | bigint | boolean | Buffer | object;

/**
 * A type of lists, by PostgreSQL's number for it: how an item is read, and how it is written where its text is not enough.
 * Items may be null; lists of lists are not among them.
 */
function listsOf(
  oid: number,
  read: (text: string) => Item = (text) => text,
  write: (item: Item) => string = String,
): postgres.PostgresType<readonly (Item | null)[]> {
  return {
    to: oid,
    from: [oid],
    serialize: (list: readonly (Item | null)[] | string) =>
      typeof list === "string"
        ? list
        : arrayLiteral(list.map((item) => (item === null ? null : write(item)))),
    parse: (text: string) => parse(text, read),
  };
}

/**
 * The lists that are read and written here. The driver would ask each new connection for all there are, and that question
 * belongs to nobody: a connection lost while it waits for the answer ends the process.
 */
export const listTypes = {
  booleans: listsOf(1000, (text) => text === "t"),
  int2s: listsOf(1005, Number),
  int4s: listsOf(1007, Number),
  int8s: listsOf(1016, BigInt),
  float8s: listsOf(1022, Number),
  texts: listsOf(1009),
  names: listsOf(1003),
  varchars: listsOf(1015),
  uuids: listsOf(2951),
  xid8s: listsOf(271),
  jsons: listsOf(199, JSON.parse, JSON.stringify),
  jsonbs: listsOf(3807, JSON.parse, JSON.stringify),
  byteas: listsOf(
    1001,
    (text) => Buffer.from(text.slice(2), "hex"),
    (bytes) => `\\x${Buffer.from(bytes as Buffer).toString("hex")}`,
  ),
};

import { createHash } from "node:crypto";
import type { SealedRows, SealedTableName } from "./sealed-tables.ts";

/** A seal as it is written down: numbers small enough to count with, everything else as the database's text. */
export interface Seal {
  /** From 1, without gaps. */
  readonly number: number;
  /** The root of the seal before, as hexadecimal digits; zeros in the first. */
  readonly previous: string;
  /** The transactions it covers, from here … */
  readonly fromXid: string;
  /** … to before here. */
  readonly toXid: string;
  readonly rowCount: number;
  readonly root: string;
  /** Seconds since 1970, with six decimals. */
  readonly sealedAt: string;
}

/** A seal as it is kept outside the database: with the digests of its rows, so that a changed one can be named. */
export interface PublishedSeal extends Seal {
  /** By table {@link digestList}s; tables without rows are left out. */
  readonly rows: Readonly<Partial<Record<SealedTableName, string>>>;
}

export const rootBeforeTheFirst = "00".repeat(32);

/** The root that a seal has when it covers exactly these rows: what `ledger.seal_closed_range` computes, a second time. */
export function rootOf(seal: Omit<Seal, "root">, rows: readonly SealedRows[]): string {
  const { number, previous, fromXid, toXid, rowCount, sealedAt } = seal;
  const root = createHash("sha256").update([number, previous, fromXid, toXid, rowCount, sealedAt].join("/"));
  for (const { digests } of rows) for (const digest of digests) root.update(digest);
  return root.digest("hex");
}

/**
 * What the copy says of the rows of a table: `1042.Aq3…` for each, its key and the beginning of its digest. Long enough
 * that nobody can make another row of the same, and a third of the whole; what proves that nothing else was changed
 * either is the root.
 */
export function digestList({ keys, digests }: SealedRows): string {
  return keys.map((key, index) => `${key}.${digests[index]?.toString("base64url", 0, 12)}`).join(" ");
}

export function publishedRows(rows: readonly SealedRows[]): PublishedSeal["rows"] {
  const filled = rows.filter(({ keys }) => keys.length > 0);
  return Object.fromEntries(filled.map((each) => [each.table, digestList(each)]));
}

/** The digests of a list by key. */
export function readDigestList(list: string): Map<string, string> {
  const pairs = list.split(" ").filter((pair) => pair !== "");
  return new Map(
    pairs.map((pair) => [pair.slice(0, pair.lastIndexOf(".")), pair.slice(pair.lastIndexOf(".") + 1)]),
  );
}

const texts = {
  previous: /^[0-9a-f]{64}$/,
  fromXid: /^\d{1,20}$/,
  toXid: /^\d{1,20}$/,
  root: /^[0-9a-f]{64}$/,
  sealedAt: /^-?\d+\.\d+$/,
} as const;

/** A published seal from its text; null when it is none: torn by a crash, or tampered with. */
export function readPublishedSeal(text: string): PublishedSeal | null {
  try {
    const seal: PublishedSeal = JSON.parse(text);
    const isSeal =
      Number.isSafeInteger(seal.number) &&
      Number.isSafeInteger(seal.rowCount) &&
      Object.entries(texts).every(([name, shape]) => shape.test(String(seal[name as keyof Seal]))) &&
      Object.values(seal.rows).every((list) => typeof list === "string");
    return isSeal ? seal : null;
  } catch {
    return null;
  }
}

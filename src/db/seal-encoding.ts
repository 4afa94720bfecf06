import { createHash, hash } from "node:crypto";
import type { SQL, SQLWrapper } from "drizzle-orm";
import { rows, sql, type Tx } from "./database.ts";

/**
 * The encoding and the digests of `ledger.seal_closed_range` a second time, outside the database: what a changed
 * function there would answer is of no use to whoever changed it.
 */

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
  readonly entryCount: number;
  readonly postingCount: number;
  readonly root: string;
  /** Microseconds since 1970. */
  readonly sealedAt: string;
}

export const rootBeforeTheFirst = "00".repeat(32);

/** An entry as it stands in the ledger now. */
export interface EntryDigest {
  readonly id: string;
  readonly sourceKey: string;
  readonly postings: number;
  /** SHA-256 of the entry with its postings, as hexadecimal digits. */
  readonly digest: string;
}

/** The entries that were recorded by the transactions from `fromXid` to before `toXid`, by id. */
export async function entryDigests(tx: Pick<Tx, "execute">, fromXid: string, toXid: string) {
  const found = await rows<{ id: string; source_key: string; fields: Field[]; postings: Field[][] }>(
    tx,
    sql`select entry.id::text, entry.source_key,
          jsonb_build_array(entry.id::text, entry.kind, entry.source_key, encode(entry.request_hash, 'hex'),
            ${microseconds(sql`occurred_at`)}, ${microseconds(sql`effective_at`)}, ${microseconds(sql`recorded_at`)},
            entry.recorded_xid::text, entry.actor, entry.cause_type, entry.cause_id, entry.customer_id,
            entry.currency, entry.reverses::text, entry.metadata::text) as fields,
          coalesce((
            select jsonb_agg(jsonb_build_array(posting.line::text, posting.currency, debited.key, credited.key,
              posting.amount::text) order by posting.line)
            from ledger.posting as posting
            left join ledger.account as debited on debited.id = posting.debit_account
            left join ledger.account as credited on credited.id = posting.credit_account
            where posting.entry_id = entry.id), '[]') as postings
        from ledger.journal_entry as entry
        where entry.recorded_xid >= ${fromXid}::xid8 and entry.recorded_xid < ${toXid}::xid8
        order by entry.id`,
  );
  return found.map(
    ({ id, source_key: sourceKey, fields, postings }): EntryDigest => ({
      id,
      sourceKey,
      postings: postings.length,
      digest: hash("sha256", encoded(fields) + postings.map(encoded).join("")),
    }),
  );
}

/** The root that a seal has when it covers exactly these entries. */
export function rootOf(seal: Omit<Seal, "root">, entries: readonly EntryDigest[]): string {
  const postings = entries.reduce((sum, entry) => sum + entry.postings, 0);
  const { number, previous, fromXid, toXid, sealedAt } = seal;
  const root = createHash("sha256").update(
    encoded([String(number), previous, fromXid, toXid, String(entries.length), String(postings), sealedAt]),
  );
  for (const { digest } of entries) root.update(digest, "hex");
  return root.digest("hex");
}

type Field = string | null;

/** Each value with its length in bytes before it: no two lists of values are written alike. */
function encoded(fields: readonly Field[]): string {
  return fields.map((value) => (value === null ? "-" : `${Buffer.byteLength(value)}:${value}`)).join("");
}

/** Since 1970, as text: the same whatever the session's settings. */
export const microseconds = (time: SQLWrapper): SQL =>
  sql`(extract(epoch from ${time}) * 1000000)::bigint::text`;

import { createHash } from "node:crypto";
import type { SQL } from "drizzle-orm";
import { sql } from "../database.ts";

/**
 * What an entry has claimed for ever is the only index there is on it: `ledger.entry_key`, by half a SHA-256. These are
 * the queries for the id of the entry that holds a claim, spelled as `ledger.claims_of` spells them.
 */

/** The entry of a source key. */
export const holderOfSourceKey = (sourceKey: string): SQL => holderOf(`source/${sourceKey}`);

/** The entry of a kind that a cause has. */
export function holderOfCause(
  kind: string,
  { type, id }: { readonly type: string; readonly id: string },
): SQL {
  return holderOf(`cause/${kind}/${Buffer.byteLength(type)}/${type}/${id}`);
}

function holderOf(claim: string): SQL {
  const hash = createHash("sha256").update(claim).digest("hex").slice(0, 32);
  return sql`(select entry_id from ledger.entry_key where hash = ${hash}::uuid)`;
}

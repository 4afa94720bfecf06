import { type Database, inTransaction, rows, sql, type Tx } from "../database.ts";
import { publishedRows, rootOf } from "./seal-encoding.ts";
import { LedgerSealBrokenError, type SealStore } from "./seal-store.ts";
import { prepareToRecompute, readSealedRows } from "./sealed-tables.ts";
import { sealsAfter } from "./stored-seals.ts";

export type { PublishedSeal, Seal } from "./seal-encoding.ts";
export {
  fileSealStore,
  LedgerSealBrokenError,
  openSealStore,
  type SealLocation,
  type SealStore,
  sealLocationText,
} from "./seal-store.ts";
export { type SealVerification, verifySeals } from "./seal-verification.ts";

/** With their lines less than two megabytes of copy, and some tenths of a second of work. */
const factsPerSealMax = 10_000;

/**
 * Seals everything that was recorded since the last seal and can no longer grow, and publishes every seal that the
 * store does not have yet, also those that an earlier run made and did not publish. Housekeeping, to be run every few
 * seconds; what is not sealed yet is vouched for by nothing but the database.
 * @returns how many seals were made
 * @throws LedgerSealBrokenError when what is to be published does not fit what was sealed or published
 */
export async function sealLedger(db: Database, store: SealStore): Promise<number> {
  let made = 0;
  while (await inTransaction(db, sealClosedRange)) made += 1;
  await inTransaction(db, async (tx) => {
    await tx.execute(sql`select pg_advisory_xact_lock(hashtext('ledger.seal_store'))`);
    await publish(tx, store);
  });
  return made;
}

/** Answers whether there was anything to seal. */
async function sealClosedRange(tx: Tx): Promise<boolean> {
  const made = await rows(tx, sql`select number from ledger.seal_closed_range(${factsPerSealMax})`);
  return made.length > 0;
}

async function publish(tx: Tx, store: SealStore): Promise<void> {
  await prepareToRecompute(tx);
  const last = await store.last();
  if (last !== null) {
    const { value: stored } = await sealsAfter(tx, last.number - 1).next();
    if (stored?.number !== last.number || stored.root !== last.root) {
      throw new LedgerSealBrokenError(
        `seal ${last.number} is published and not in the database: run npm run ledger:verify`,
      );
    }
  }
  for await (const seal of sealsAfter(tx, last?.number ?? 0)) {
    const [sealed = []] = await readSealedRows(tx, [seal.fromXid, seal.toXid]);
    if (rootOf(seal, sealed) !== seal.root) {
      throw new LedgerSealBrokenError(
        `rows changed between seal ${seal.number} and its publication: run npm run ledger:verify`,
      );
    }
    await store.append({ ...seal, rows: publishedRows(sealed) });
  }
}

import { BillingError } from "../domain/errors.ts";
import { type Database, inTransaction, rows, sql, type Tx } from "./database.ts";
import { entryDigests, rootOf } from "./seal-encoding.ts";
import type { SealStore } from "./seal-store.ts";
import { sealsAfter } from "./seal-verification.ts";

export type { Seal } from "./seal-encoding.ts";
export { fileSealStore, type PublishedSeal, type SealStore } from "./seal-store.ts";
export { type SealFault, type SealVerification, verifySeals } from "./seal-verification.ts";

/** The ledger is not what was sealed: nothing is published on top of it before a person has looked. */
export class LedgerSealBrokenError extends BillingError {
  readonly code = "ledger_seal_broken";
}

/** Keeps a seal's line in the external copy short enough to be appended at once and read by eye. */
const entriesPerSealMax = 1_000;

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
  const made = await rows(tx, sql`select number from ledger.seal_closed_range(${entriesPerSealMax})`);
  return made.length > 0;
}

async function publish(tx: Tx, store: SealStore): Promise<void> {
  const last = await store.lastNumber();
  const [row] = await rows<{ newest: bigint | null }>(tx, sql`select max(number) as newest from ledger.seal`);
  if ((row?.newest ?? 0n) < BigInt(last)) {
    throw new LedgerSealBrokenError(
      `seal ${last} is published and not in the database: run npm run ledger:verify`,
    );
  }
  for await (const seal of sealsAfter(tx, last)) {
    const entries = await entryDigests(tx, seal.fromXid, seal.toXid);
    if (rootOf(seal, entries) !== seal.root) {
      throw new LedgerSealBrokenError(
        `entries changed between seal ${seal.number} and its publication: run npm run ledger:verify`,
      );
    }
    await store.append({ ...seal, entries: entries.map(({ id, digest }) => [id, digest]) });
  }
}

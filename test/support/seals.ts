import { setTimeout } from "node:timers/promises";
import type { Database } from "../../src/db/database.ts";
import { type SealStore, sealLedger, verifySeals } from "../../src/db/seals/ledger-seals.ts";

/** Seals all there is. Transactions of other tests on the server hold the horizon back, so it may take more than one go. */
export async function sealAll(db: Database, store: SealStore): Promise<void> {
  for (;;) {
    await sealLedger(db, store);
    const { unsealed } = await verifySeals(db);
    if (Object.keys(unsealed).length === 0) return;
    await setTimeout(10);
  }
}

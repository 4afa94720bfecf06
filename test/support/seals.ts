import { setTimeout } from "node:timers/promises";
import type { Database } from "../../src/db/database.ts";
import { type SealStore, sealLedger } from "../../src/db/seals/ledger-seals.ts";

/**
 * Seals all there is, in one go. Transactions of other tests on the server hold back what can be sealed: first everything
 * that has been recorded must lie before all that are under way.
 */
export async function sealAll(db: Database, store: SealStore): Promise<void> {
  const [recorded] = await db.sql<[{ xid: string }]>`select pg_current_xact_id()::text as xid`;
  for (;;) {
    const [row] = await db.sql<[{ is_closed: boolean }]>`
      select pg_snapshot_xmin(pg_current_snapshot()) > ${recorded.xid}::text::xid8 as is_closed`;
    if (row.is_closed) break;
    await setTimeout(10);
  }
  await sealLedger(db, store);
}

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Database, inTransaction } from "../../src/db/database.ts";
import {
  carryClosedMonth,
  closeAccountingPeriod,
  foldHotBalances,
  preparePartitions,
} from "../../src/db/ledger/ledger.ts";
import { fileSealStore, type SealStore } from "../../src/db/seals/ledger-seals.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import { sealAll } from "../support/seals.ts";
import { openAsSuperuser } from "../support/superuser.ts";
import { cost, hold, holdsOf, line, reserve } from "./holds-fixture.ts";
import {
  draft,
  fees,
  fund,
  grantOf,
  type LedgerFixture,
  move,
  openLedger,
  revenue,
  spend,
} from "./ledger-fixture.ts";

export interface SealedLedger extends LedgerFixture {
  readonly superuser: Database;
  /** Where the copy of its seals is. */
  readonly file: string;
  readonly store: SealStore;
}

/** An empty ledger with an empty copy. */
export async function openSealedLedger(): Promise<SealedLedger> {
  const ledger = await openLedger();
  const superuser = await openAsSuperuser(ledger.db);
  const folder = mkdtempSync(join(tmpdir(), "seals-"));
  const file = join(folder, "seals.jsonl");
  return {
    ...ledger,
    superuser,
    file,
    store: fileSealStore(file),
    async close() {
      await superuser.close();
      await ledger.close();
      rmSync(folder, { recursive: true });
    },
  };
}

const firstPartitionEnds = 50_000_000;
const inFebruary = { effectiveAt: instant("2026-02-10T00:00:00Z") };
const inMarch = { effectiveAt: instant("2026-03-10T00:00:00Z") };
const inApril = { effectiveAt: instant("2026-04-10T00:00:00Z") };

/**
 * Fills every table of the ledger, under four seals: two partitions of entries, a reversal, amounts beyond int8, holds of
 * every outcome, closed months with their balances, of which one was closed with the next, hot accounts folded and not.
 */
export async function tellSealedStory(ledger: SealedLedger): Promise<void> {
  const { db, owner, store } = ledger;
  const holds = holdsOf(ledger);
  const seal = () => sealAll(db, store);
  await ledger.post(
    fund("g/funded", "g", 10n ** 30n),
    fund("h/funded", "h", 500n),
    spend("g/spent", "g", 10n ** 29n + 1n),
    draft("two lines", [move(fees, revenue, 1n), move(fees, revenue, 2n)], {
      metadata: { invoice_id: "in_1" },
    }),
  );
  await seal();
  await inTransaction(db, foldHotBalances);
  await holds.place(
    reserve("request/1", "h", 60n),
    reserve("request/2", "h", 20n, 40n),
    hold("request/3", [line(grantOf("g"), 7n), line(grantOf("h"), 8n)]),
    reserve("request/4", "h", 11n),
  );
  await holds.settle("request/1", cost("request/1", "h", 70n));
  await holds.release("request/2");
  await seal();
  await inTransaction(db, (tx) => closeAccountingPeriod(tx, "2026-01-01", "alice"));
  await owner.sql`select setval('ledger.entry_id', ${firstPartitionEnds - 2})`;
  await inTransaction(db, (tx) => preparePartitions(tx, firstPartitionEnds));
  for (const key of ["late", "february", "march"]) await ledger.post(spend(key, "g", 3n));
  const [spent] = await db.sql<
    { id: bigint }[]
  >`select id from ledger.journal_entry where source_key = 'g/spent'`;
  await ledger.post(
    draft("g/spent/undone", [move(revenue, grantOf("g"), 10n ** 29n + 1n)], {
      ...inFebruary,
      ...(spent && { reverses: spent.id }),
    }),
  );
  await seal();
  await ledger.post(
    draft("in march", [move(grantOf("g"), revenue, 3n)], inMarch),
    draft("in april", [move(grantOf("g"), revenue, 4n)], inApril),
  );
  for (const month of ["2026-02-01", "2026-04-01"]) {
    await inTransaction(db, (tx) => closeAccountingPeriod(tx, month, "bob"));
  }
  while ((await inTransaction(db, carryClosedMonth)) !== null);
  await ledger.post(draft("fee", [move(fees, revenue, 5n)]));
  await seal();
}

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { inTransaction, type Tx } from "../../src/db/database.ts";
import { derivedOnceTables, derivedTables } from "../../src/db/invariants/table-rules.ts";
import { expireHolds, placeHolds, releaseHolds, settleHolds } from "../../src/db/ledger/holds.ts";
import {
  carryClosedMonth,
  closeAccountingPeriod,
  foldHotBalances,
  postEntries,
  preparePartitions,
} from "../../src/db/ledger/ledger.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import { cost, expiry, reserve } from "./holds-fixture.ts";
import {
  at,
  draft,
  expectInvariants,
  fees,
  fund,
  type LedgerFixture,
  move,
  openLedger,
  refusal,
  revenue,
  spend,
} from "./ledger-fixture.ts";

/**
 * What follows from facts is written through a door that only the ledger's functions open, for as long as they write.
 * Here each is run by the owner, who then tries to write by hand in the same transaction.
 */
const refusedByTrigger = "RK001";

let ledger: LedgerFixture;

beforeAll(async () => {
  ledger = await openLedger();
  await ledger.post(fund("f", "g", 100n), spend("s", "g", 4n));
  await inTransaction(ledger.db, (tx) => placeHolds(tx, [reserve("open", "g", 1n)]));
});

afterAll(async () => {
  await expectInvariants(ledger.db);
  await ledger.close();
});

const inTheLedger = [...derivedOnceTables, ...derivedTables].filter((table) => table.startsWith("ledger."));
const edits = [
  ...inTheLedger.map((table) => `insert into ${table} select * from ${table}`),
  "update ledger.account_balance set debit = debit + 1",
  "update ledger.account_balance set held = 0",
  "delete from ledger.balance_delta",
  "delete from ledger.open_hold",
];

const inTwentyFive = { effectiveAt: instant("2025-01-31T00:00:00Z") };

test.each<{ after: string; act: (tx: Tx) => Promise<unknown> }>([
  { after: "an account was opened", act: (tx) => postEntries(tx, [fund("door/1", "another", 1n)]) },
  { after: "a posting was made", act: (tx) => postEntries(tx, [spend("door/2", "g", 1n)]) },
  { after: "a posting was refused", act: (tx) => postEntries(tx, [spend("door/3", "g", 1_000n)]) },
  { after: "an entry existed already", act: (tx) => postEntries(tx, [spend("s", "g", 4n)]) },
  { after: "a hold was placed", act: (tx) => placeHolds(tx, [reserve("door/4", "g", 1n)]) },
  { after: "a hold was refused", act: (tx) => placeHolds(tx, [reserve("door/5", "g", 1_000n)]) },
  {
    after: "a hold was settled",
    act: (tx) => settleHolds(tx, [{ holdKey: "open", entry: cost("open", "g", 1n) }]),
  },
  {
    after: "a settlement was refused",
    act: (tx) => settleHolds(tx, [{ holdKey: "open", entry: cost("open", "g", 1_000n) }]),
  },
  { after: "a hold was released", act: (tx) => releaseHolds(tx, ["open"], at) },
  { after: "a hold expired", act: (tx) => expireHolds(tx, expiry) },
  { after: "hot balances were folded", act: (tx) => foldHotBalances(tx) },
  { after: "partitions were added", act: (tx) => preparePartitions(tx, 100_000_000) },
  {
    after: "a closed month was carried",
    act: async (tx) => {
      await postEntries(tx, [draft("door/6", [move(fees, revenue, 1n)], inTwentyFive)]);
      await closeAccountingPeriod(tx, "2025-01-01", "alice");
      expect(await carryClosedMonth(tx)).toBe("2025-01-01");
    },
  },
])("the door is shut after $after", async ({ act }) => {
  for (const edit of edits) {
    let hasActed = false;
    const edited = inTransaction(ledger.owner, async (tx) => {
      await act(tx);
      hasActed = true;
      await tx.execute(edit);
    });
    expect({ edit, code: await refusal(edited), hasActed }).toEqual({
      edit,
      code: refusedByTrigger,
      hasActed: true,
    });
  }
});

describe("a hand that opens the door itself", () => {
  test("is the owner's, not the application's", async () => {
    const openDoor = "select set_config('ledger.keeps_balances', 'on', true)";
    const forged = "update ledger.account_balance set debit = debit + 1";
    const by = (who: "db" | "owner") =>
      refusal(
        inTransaction(ledger[who], async (tx) => {
          await tx.execute(openDoor);
          await tx.execute(forged);
          throw new Error("undone");
        }),
      );
    expect(await by("db")).toBe("42501");
    expect(await by("owner")).toBe("Error: undone");
  });
});

test("the door is shut in the transaction in which keeping balances failed", async () => {
  const edited = ledger.owner.sql.begin(async (sql) => {
    const below = sql.savepoint(
      (inner) => inner`
      with entry as (
        insert into ledger.journal_entry (kind, source_key, request_hash, occurred_at, effective_at, actor, cause_type, cause_id, currency)
        values ('by_hand', 'door/7', '\\x00', now(), now(), 'alice', 'hand', 'door/7', 'usd') returning id
      )
      insert into ledger.posting (entry_id, line, currency, debit_account, credit_account, amount)
      select entry.id, 1, 'usd', debited.id, credited.id, 1000000
      from entry, ledger.account as debited, ledger.account as credited
      where debited.key = '2000/usd/customer=acme/grant=g' and credited.key = '4000/usd/product=tokens'`,
    );
    expect(await refusal(below)).toBe("23514");
    await sql`update ledger.account_balance set debit = debit + 1`;
  });
  expect(await refusal(edited)).toBe(refusedByTrigger);
});

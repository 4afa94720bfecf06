import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findingAsText } from "../../src/cli/verification-text.ts";
import { allFindings, verifyLedger, verifyLedgerIn } from "../../src/db/seals/ledger-verification.ts";
import { lookAt, withoutGuards } from "../support/superuser.ts";
import { expectInvariants } from "./ledger-fixture.ts";
import { openSealedLedger, type SealedLedger, tellSealedStory } from "./sealed-ledger.ts";

let ledger: SealedLedger;
beforeAll(async () => {
  ledger = await openSealedLedger();
  await tellSealedStory(ledger);
});
afterAll(async () => {
  await expectInvariants(ledger.db);
  expect(allFindings(await verifyLedger(ledger.db, { store: ledger.store }))).toEqual([]);
  await ledger.close();
});

/** What is found after a damage, as people read it. */
async function foundAfter(damage: string): Promise<string[]> {
  const published = (await ledger.store.last())?.number;
  const verification = await lookAt(
    ledger.superuser,
    (tx) => withoutGuards(tx, damage),
    (tx) => verifyLedgerIn(tx, { store: ledger.store, published }),
  );
  return allFindings(verification).map(findingAsText);
}

const grant = "2000/usd/customer=acme/grant=h";
const idOf = (key: string) => `(select id from ledger.account where key = '${key}')`;
const entryOf = (key: string) => `(select id from ledger.journal_entry where source_key = '${key}')`;

describe("what follows from the facts, and does not", () => {
  test.each([
    {
      damage: `update ledger.account_balance set held = held + 1 where account_id = ${idOf(grant)}`,
      found: [/^account_balance \d+ of 2000.*grant=h: held is 20 and should be 19$/],
    },
    {
      damage: `delete from ledger.account_balance where account_id = ${idOf(grant)}`,
      found: [/^account_balance \d+ of 2000.*grant=h: is missing$/],
    },
    {
      damage: "update ledger.balance_delta set debit = debit + 1 where debit = 5",
      found: [/^account_balance \d+ of 5000\/usd: debit is 9 and should be 8$/],
    },
    {
      damage: `insert into ledger.balance_delta values (${idOf(grant)}, 0, 0, 0)`,
      found: [/^balance_delta \d+: is no delta of a hot account$/],
    },
    {
      damage: `update ledger.account_history set balance_after = 1 where account_id = ${idOf(grant)} and version = 1`,
      found: [/^account_history \d+\/1 of 2000.*grant=h: balance_after is 1 and should be 500$/],
    },
    {
      damage: `update ledger.account_history set version = 7 where account_id = ${idOf(grant)} and version = 1`,
      found: [
        /^account_history \d+\/1 of 2000.*: is missing$/,
        /^account_history \d+\/7 of 2000.*: should not be there$/,
      ],
    },
    {
      damage: `delete from ledger.account_history where account_id = ${idOf(grant)} and version = 2`,
      found: [/^account_history \d+\/2 of 2000.*: is missing$/],
    },
    {
      damage: `update ledger.account_history set entry_id = ${entryOf("fee")} where account_id = ${idOf(grant)} and version = 2`,
      found: [/^account_history \d+\/2 of 2000.*: is of no posting of its account$/],
    },
    {
      damage: `delete from ledger.entry_key where entry_id = ${entryOf("g/spent/undone")}
        and hash = ledger.claim('reverses/' || ${entryOf("g/spent")})`,
      found: [/^entry_key [0-9a-f-]{36} of g\/spent\/undone: is missing$/],
    },
    {
      damage: `update ledger.entry_key set entry_id = 3 where entry_id = ${entryOf("fee")} and hash = ledger.claim('source/fee')`,
      found: [/^entry_key [0-9a-f-]{36} of fee: entry_id is 3 and should be \d+$/],
    },
    {
      damage: "update ledger.open_hold set expires_at = expires_at + interval '1 hour' where hold_id = 4",
      found: [/^open_hold 4 of request\/4: expires_at is .* and should be .*$/],
    },
    {
      damage:
        "insert into ledger.open_hold select id, expires_at from ledger.hold where source_key = 'request/1'",
      found: [/^open_hold 1 of request\/1: should not be there$/],
    },
    {
      damage: `update ledger.period_balance set credit = credit + 1 where account_id = ${idOf(grant)} and month = '2026-01-01'`,
      found: [/^period_balance \d+\/2026-01-01 of 2000.*: credit is 501 and should be 500$/],
    },
    {
      damage: "delete from ledger.carried_month where month = '2026-02-01'",
      found: [
        "carried_month 2026-02-01: is missing",
        /^period_balance \d+\/2026-02-01 of 2000.*grant=g: should not be there$/,
        /^period_balance \d+\/2026-02-01 of 4000.*: should not be there$/,
      ],
    },
    {
      damage: "update ledger.entry_range set end_id = end_id + 1 where number = 2",
      found: [/^entry_range 2: end_id is 100000002 and should be 100000001$/],
    },
    {
      damage: "update ledger.chart_account set name = 'Slush fund' where code = '5200'",
      found: ["chart_account 5200: name is Slush fund and should be Goodwill"],
    },
  ])("$damage", async ({ damage, found }) => {
    const named = await foundAfter(damage);
    expect(named.toSorted()).toEqual(
      found.map((line) => (typeof line === "string" ? line : expect.stringMatching(line))),
    );
  });
});

describe("a fact that was changed", () => {
  test("is named first, and then what does not follow from it any more", async () => {
    const found = await foundAfter(
      `update ledger.posting set amount = amount + 1 where entry_id = ${entryOf("request/1/settled")}`,
    );
    expect(found[0]).toMatch(/^posting \d+\/1 of request\/1\/settled: was changed \(seal 2\)$/);
    expect(found).toContainEqual(
      expect.stringMatching(/^account_balance \d+ of 2000.*: debit is 70 and should be 71$/),
    );
    expect(found).toContainEqual(
      expect.stringMatching(/^account_history \d+\/2 of 2000.*: delta is -70 and should be -71$/),
    );
  });

  test("is found by what follows from it before it is sealed, and counted as not vouched for", async () => {
    const newer = `select ledger.post_entries('[{"source_key": "newer", "kind": "test", "occurred_at": "2026-03-02T00:00:00Z",
        "effective_at": "2026-03-02T00:00:00Z", "actor": "eve", "cause_type": "test", "cause_id": "newer", "customer_id": "acme",
        "currency": "usd", "metadata": {}, "postings": [{"debit": "5000/usd", "credit": "1000/usd", "amount": "5"}]}]')`;
    const change =
      "update ledger.posting set amount = 6 where amount = 5 and entry_id = (select max(id) from ledger.journal_entry)";
    const verification = await lookAt(
      ledger.superuser,
      async (tx) => {
        await tx.execute(newer);
        await withoutGuards(tx, change);
      },
      (tx) => verifyLedgerIn(tx, { store: ledger.store, published: 4 }),
    );
    expect(verification.sealed).toMatchObject({
      findings: [],
      unsealed: { account: 1, journal_entry: 1, posting: 1 },
    });
    expect(verification.derived.map(({ table, column }) => `${table} ${column}`)).toEqual([
      "account_balance debit",
      "account_balance credit",
    ]);
  });
});

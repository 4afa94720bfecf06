import { afterAll, beforeAll, expect, test } from "vitest";
import { rows, sql } from "../../src/db/database.ts";
import {
  allFindings,
  type LedgerVerification,
  verifyLedger,
  verifyLedgerIn,
} from "../../src/db/seals/ledger-verification.ts";
import { type Dice, diceOf } from "../support/dice.ts";
import { lookAt } from "../support/superuser.ts";
import { type LedgerTable, ledgerTables, type Mutation, mutate, withoutChecks } from "./ledger-mutations.ts";
import { openSealedLedger, type SealedLedger, tellSealedStory } from "./sealed-ledger.ts";

const seed = Number(process.env.MUTATION_SEED ?? Math.floor(Math.random() * 2 ** 32));
const mutationsMax = process.env.NIGHTLY === "1" ? 1_000 : 200;

let ledger: SealedLedger;
let tables: LedgerTable[];

beforeAll(async () => {
  ledger = await openSealedLedger();
  await tellSealedStory(ledger);
  tables = await ledgerTables(ledger.owner);
  await withoutChecks(ledger.superuser.orm);
});
afterAll(() => ledger.close());

test("the ledger that is damaged has rows in every table, and is in order before", async () => {
  for (const { table } of tables) {
    const found = await rows(ledger.owner.orm, sql.raw(`select from ledger.${table} limit 1`));
    expect([table, found.length]).toEqual([table, 1]);
  }
  expect(tables.map(({ table }) => table)).toEqual([
    "account",
    "account_balance",
    "account_history",
    "accounting_period",
    "balance_delta",
    "carried_month",
    "chart_account",
    "entry_key",
    "entry_range",
    "hold",
    "hold_line",
    "hold_resolution",
    "journal_entry",
    "open_hold",
    "period_balance",
    "posting",
    "seal",
  ]);
  const { sealed, derived } = await verifyLedger(ledger.db, { store: ledger.store });
  expect({ findings: [...sealed.findings, ...derived], unsealed: sealed.unsealed }).toEqual({
    findings: [],
    unsealed: {},
  });
});

test(`each of ${mutationsMax} random changes is found and its rows are named (MUTATION_SEED=${seed})`, {
  timeout: mutationsMax * 500,
}, async () => {
  const dice = diceOf(seed);
  const done = new Set<string>();
  for (let count = 0, attempt = 0; count < mutationsMax; attempt++) {
    const table = tables[attempt % tables.length];
    const damaged = table && (await damagedAtRandom(dice, table));
    if (!damaged) continue;
    count += 1;
    done.add(table.table);
    const { mutation, verification } = damaged;
    expect(unnamed(mutation, verification), `${mutation.what}; found: ${text(verification)}`).toEqual([]);
  }
  expect(done.size).toBe(tables.length);
});

/** Null when the database kept it from being done. */
async function damagedAtRandom(dice: Dice, table: LedgerTable) {
  const published = (await ledger.store.last())?.number;
  let mutation: Mutation | null = null;
  return await lookAt(
    ledger.superuser,
    async (tx) => {
      await tx.execute("set local session_replication_role = replica");
      mutation = await mutate(tx, dice, table);
      await tx.execute("set local session_replication_role = origin");
    },
    async (tx) =>
      mutation && { mutation, verification: await verifyLedgerIn(tx, { store: ledger.store, published }) },
  );
}

/** The rows that no finding names. */
function unnamed({ rows: mutated }: Mutation, verification: LedgerVerification): string[] {
  const named = new Set(allFindings(verification).map(({ table, key }) => `${table} ${key}`));
  const { unsealed } = verification.sealed;
  return mutated
    .filter(({ names }) => !names.some((name) => named.has(name)))
    .filter(
      ({ names, isUnsealed }) =>
        !(isUnsealed && names.some((name) => (name.split(" ")[0] ?? "") in unsealed)),
    )
    .map(({ names }) => names.join(" or "));
}

const text = (verification: LedgerVerification): string =>
  allFindings(verification)
    .slice(0, 10)
    .map(({ table, key, problem, column }) => `${table} ${key} ${problem} ${column ?? ""}`)
    .join("; ");

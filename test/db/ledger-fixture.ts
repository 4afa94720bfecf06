import { expect } from "vitest";
import { type Database, inSnapshot, inTransaction, openDatabase, sqlState } from "../../src/db/database.ts";
import { ledgerInvariantQueries } from "../../src/db/invariants/ledger-invariants.ts";
import { type PostingStatus, postEntries } from "../../src/db/ledger/ledger.ts";
import { readStatement, type StatementRequest } from "../../src/db/ledger/ledger-statements.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import type { StatementLine } from "../../src/domain/export/statement-rows.ts";
import {
  customerBalance,
  type JournalEntryDraft,
  type Posting,
  prepaidCredits,
  processorFees,
  receivable,
  usageRevenue,
} from "../../src/domain/ledger/index.ts";
import { currency, ledgerAmount } from "../../src/domain/money/index.ts";
import { cloneDatabase } from "../support/postgres.ts";

export const usd = currency("usd");
export const at = instant("2026-01-15T00:00:00Z");

/** Accounts of the tests: a grant (bounded), what acme owes, its balance (bounded), revenue and fees (hot). */
export const grantOf = (grantId: string) => prepaidCredits("acme", grantId, usd);
export const owed = receivable("acme", usd);
export const balanceOfAcme = customerBalance("acme", usd);
export const revenue = usageRevenue("tokens", usd);
export const fees = processorFees(usd);

export const move = (debit: Posting["debit"], credit: Posting["credit"], amount: bigint): Posting => ({
  debit,
  credit,
  amount: ledgerAmount(amount),
});

/** An entry of acme whose cause is its own key; say only what matters. */
export function draft(
  sourceKey: string,
  postings: readonly Posting[],
  over: Partial<JournalEntryDraft> = {},
): JournalEntryDraft {
  return {
    sourceKey,
    kind: "test",
    occurredAt: at,
    effectiveAt: at,
    customerId: "acme",
    cause: { type: "test", id: sourceKey },
    currency: usd,
    postings,
    metadata: {},
    ...over,
  };
}

/** Puts credits into a grant. */
export const fund = (sourceKey: string, grantId: string, amount: bigint) =>
  draft(sourceKey, [move(owed, grantOf(grantId), amount)]);

/** Spends credits of a grant. */
export const spend = (sourceKey: string, grantId: string, amount: bigint) =>
  draft(sourceKey, [move(grantOf(grantId), revenue, amount)]);

/** Lets entries in that a person has to ask for, and another to approve: who may is tested elsewhere. */
export const admitEverything = ({ owner }: Pick<LedgerFixture, "owner">) =>
  owner.sql`alter table ledger.journal_entry disable trigger adjustment_is_admitted`;

export interface LedgerFixture {
  readonly appUrl: string;
  /** As the application is connected. */
  readonly db: Database;
  /** As the role that owns the schema. */
  readonly owner: Database;
  /** Posts in a transaction of its own. */
  post(...drafts: JournalEntryDraft[]): Promise<PostingStatus[]>;
  close(): Promise<void>;
}

export async function openLedger({
  poolSize = 4,
}: {
  readonly poolSize?: number;
} = {}): Promise<LedgerFixture> {
  const { appUrl, ownerUrl, drop } = await cloneDatabase();
  const db = openDatabase({ url: appUrl, poolSize });
  const owner = openDatabase({ url: ownerUrl, poolSize: 2 });
  return {
    appUrl,
    db,
    owner,
    async post(...drafts) {
      const results = await inTransaction(db, (tx) => postEntries(tx, drafts));
      return results.map(({ status }) => status);
    },
    async close() {
      await Promise.all([db.close(), owner.close()]);
      await drop();
    },
  };
}

/** A whole statement, of acme in dollars by effective dates where nothing else is said. */
export function statement(
  db: Database,
  request: Pick<StatementRequest, "subject"> & Partial<StatementRequest>,
): Promise<{ opening: bigint; closing: bigint; lines: StatementLine[] }> {
  return inSnapshot(db, async (tx) => {
    const defaults = { customerId: "acme", currency: usd, clock: "effective" } as const;
    const { pages, ...balances } = await readStatement(tx, { ...defaults, ...request });
    const lines: StatementLine[] = [];
    for await (const page of pages) lines.push(...page);
    return { ...balances, lines };
  });
}

/** Runs every invariant of the ledger; a broken one shows its name and rows. */
export async function expectInvariants({ sql }: Pick<Database, "sql">): Promise<void> {
  for (const invariant of ledgerInvariantQueries) {
    expect([...(await sql.unsafe(invariant.sql))], invariant.name).toEqual([]);
  }
}

/** The SQLSTATE a statement is refused with. */
export async function refusal(statement: PromiseLike<unknown>): Promise<string> {
  try {
    await statement;
    return "done";
  } catch (error) {
    return sqlState(error) ?? String(error);
  }
}

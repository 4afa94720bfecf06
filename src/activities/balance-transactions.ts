import {
  insertBalanceTransactions,
  noteTransaction,
  type StoredBalanceTransaction,
  unexplainedTransactions,
} from "../db/billing/balance-transactions.ts";
import {
  moveImportPosition,
  positionAfter,
  readImportPosition,
  sinceOf,
} from "../db/billing/import-positions.ts";
import { inTransaction } from "../db/database.ts";
import { findEntryOfCause } from "../db/ledger/ledger.ts";
import { balanceTransactionUnmatched } from "../domain/ledger/index.ts";
import { currency, ledgerAmountAtStripe } from "../domain/money/index.ts";
import { bookOnce, movementKey } from "./balance-movement.ts";
import type { ActivityDependencies } from "./dependencies.ts";
import { explain } from "./explain-transaction.ts";

/** Read again with every pass. */
const overlapMs = 60 * 60_000;

/**
 * Reads the next page of what has moved Stripe's balance. Every page commits with how far it goes, so that whoever dies is
 * continued; a transaction that was read before stays as it is.
 */
export async function importBalanceTransactions({
  db,
  rail,
}: Pick<ActivityDependencies, "db" | "rail">): Promise<{
  readonly imported: number;
  readonly hasMore: boolean;
}> {
  const from = await readImportPosition(db.orm, "balance_transactions");
  const page = { since: sinceOf(from, overlapMs), after: from.passAfter };
  const { transactions, hasMore } = await rail.listBalanceTransactions(page);
  const goesOn = hasMore && transactions.length > 0;
  const to = positionAfter(from, transactions, goesOn);
  const imported = await inTransaction(db, async (tx) => {
    const inserted = await insertBalanceTransactions(tx, transactions);
    await moveImportPosition(tx, "balance_transactions", from, to);
    return inserted;
  });
  return { imported, hasMore: goesOn };
}

export interface ExplainOptions {
  /** Behind this transaction; from the oldest when null. */
  readonly after: string | null;
  readonly limit: number;
  /** How long a movement may stay unexplained before it is booked into suspense. */
  readonly patienceMs: number;
}

/**
 * Books what was imported under what it is: payments, refunds, disputes, payouts, fees. What nobody can explain in time goes
 * into suspense, so that the Stripe balance is right, and is tried again.
 */
export async function explainTransactions(
  deps: ActivityDependencies,
  { after, limit, patienceMs }: ExplainOptions,
): Promise<{ readonly last: string | null; readonly hasMore: boolean; readonly failure?: unknown }> {
  const waiting = await unexplainedTransactions(deps.db.orm, { after, limit });
  let failure: unknown;
  for (const transaction of waiting) {
    try {
      const problem = await explain(deps, transaction);
      if (problem !== null) await setAside(deps, transaction, problem, patienceMs);
    } catch (error) {
      // The others go on; this one is tried again, and said.
      failure ??= error;
    }
  }
  const last = waiting.at(-1)?.id ?? null;
  return { last, hasMore: waiting.length === limit, ...(failure === undefined ? {} : { failure }) };
}

async function setAside(
  { db, now }: ActivityDependencies,
  transaction: StoredBalanceTransaction,
  problem: string,
  patienceMs: number,
): Promise<void> {
  const { id, createdAt, importedAt, net, state } = transaction;
  if (state === "suspense") return;
  const isLate = now() - importedAt >= patienceMs;
  await inTransaction(db, async (tx) => {
    if (!isLate) return await noteTransaction(tx, id, { state: "waiting", problem });
    const cause = { type: "stripe_balance_transaction", id };
    const known = await findEntryOfCause(tx, "balance_transaction_unmatched", cause);
    if (known === undefined && net !== 0n) {
      const entry = balanceTransactionUnmatched({
        sourceKey: `${movementKey(id)}/unmatched`,
        currency: currency(transaction.currency),
        occurredAt: createdAt,
        effectiveAt: createdAt,
        balanceTransactionId: id,
        net: ledgerAmountAtStripe(net, transaction.currency),
      });
      await bookOnce(tx, entry);
    }
    await noteTransaction(tx, id, { state: "suspense", problem });
  });
}

import { findBalanceTransaction, noteTransaction } from "../db/billing/balance-transactions.ts";
import type { Tx } from "../db/database.ts";
import { findEntryOfCause, postEntries } from "../db/ledger/ledger.ts";
import { invariant } from "../domain/errors.ts";
import { clearedFromSuspense, type JournalEntryDraft } from "../domain/ledger/index.ts";
import { ledgerAmountAtStripe } from "../domain/money/index.ts";

/** Under which the entry of a balance transaction is booked, whoever comes to it first. */
export const movementKey = (balanceTransactionId: string) => `balance-transaction/${balanceTransactionId}`;

/**
 * Books the entry of a balance transaction, once, by whatever way it was learnt of. Where the money waits in suspense, it is
 * taken from there: the balance has moved already.
 */
export async function bookMovement(tx: Tx, entry: JournalEntryDraft): Promise<void> {
  const { id } = entry.cause;
  const unmatched = await findEntryOfCause(tx, "balance_transaction_unmatched", entry.cause);
  const imported = await findBalanceTransaction(tx, id);
  if (unmatched === undefined || imported === undefined) await bookOnce(tx, entry);
  else {
    const net = ledgerAmountAtStripe(imported.net, imported.currency);
    await bookOnce(tx, clearedFromSuspense(entry, { balanceTransactionId: id, net }));
  }
  if (imported !== undefined && imported.state !== "booked") {
    await noteTransaction(tx, id, { state: "booked", problem: null });
  }
}

/** For an entry whose own key is all that says whether it is news; a later look may see it at another instant. */
export async function bookOnce(tx: Tx, entry: JournalEntryDraft): Promise<void> {
  const [result] = await postEntries(tx, [entry]);
  const isBooked = result !== undefined && ["created", "exists", "exists_different"].includes(result.status);
  invariant(isBooked, `entry ${entry.sourceKey} can be booked, but was: ${result?.status}`);
}

import { findBalanceTransaction, noteTransaction } from "../db/billing/balance-transactions.ts";
import type { Tx } from "../db/database.ts";
import { findEntryOfCause, postEntries } from "../db/ledger/ledger.ts";
import { invariant } from "../domain/errors.ts";
import {
  clearedFromSuspense,
  type JournalEntryDraft,
  settledInAnotherCurrency,
} from "../domain/ledger/index.ts";
import {
  type Currency,
  type LedgerAmount,
  ledgerAmount,
  ledgerAmountAtStripe,
  money,
} from "../domain/money/index.ts";
import { isoMinorOf } from "../stripe/index.ts";

/** Under which the entry of a balance transaction is booked, whoever comes to it first. */
export const movementKey = (balanceTransactionId: string) => `balance-transaction/${balanceTransactionId}`;

/** What a balance transaction moved, as Stripe counts the currency in which it settled. */
export interface Moved {
  readonly currency: string;
  /** Signed: what left is negative. */
  readonly amount: bigint;
  /** Positive where Stripe takes it. */
  readonly fee: bigint;
}

/**
 * Books a payment, refund or dispute that a balance transaction is of: as one entry where it settled in its own currency, else as
 * two with the exchange between them.
 * @param entryOf the entry in its own currency, with this fee
 */
export async function bookSettled(
  tx: Tx,
  own: Currency,
  { currency: code, amount, fee }: Moved,
  entryOf: (fee: LedgerAmount) => JournalEntryDraft,
): Promise<void> {
  if (code === own) return await bookMovement(tx, entryOf(ledgerAmountAtStripe(fee, code)));
  const settled = (minor: bigint) => money(BigInt(isoMinorOf(Number(minor), code)), code);
  const entries = settledInAnotherCurrency(entryOf(ledgerAmount(0n)), {
    gross: settled(amount),
    fee: settled(fee),
  });
  const [event, exchange] = entries;
  await bookOnce(tx, event);
  await bookMovement(tx, exchange);
}

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

import { findBalanceTransaction } from "../db/billing/balance-transactions.ts";
import { storePayout } from "../db/billing/payouts.ts";
import { inTransaction } from "../db/database.ts";
import { findEntryOfCause } from "../db/ledger/ledger.ts";
import { type JournalEntryDraft, payoutFailed, payoutPaid, payoutSent } from "../domain/ledger/index.ts";
import { currency, ledgerAmountAtStripe } from "../domain/money/index.ts";
import type { PayoutAtStripe } from "../stripe/index.ts";
import { bookMovement, bookOnce, movementKey } from "./balance-movement.ts";
import type { ActivityDependencies } from "./dependencies.ts";

/** Reads a payout at Stripe, writes down how it stands, and books it when our bank has it. */
export async function settlePayout(deps: ActivityDependencies, payoutId: string): Promise<PayoutAtStripe> {
  const payout = await deps.rail.retrievePayout(payoutId);
  await inTransaction(deps.db, async (tx) => {
    // Takes the payout's row: whoever books that it came back waits for this, or this for them.
    await storePayout(tx, { ...payout, changedAt: deps.now() });
    if (payout.status !== "paid") return;
    const at = payout.arrivesAt;
    await bookOnce(
      tx,
      payoutPaid({
        sourceKey: `payout/${payout.id}/paid`,
        currency: currency(payout.currency),
        occurredAt: at,
        effectiveAt: at,
        payoutId: payout.id,
        amount: ledgerAmountAtStripe(payout.amount, payout.currency),
      }),
    );
  });
  return payout;
}

/** Books a balance transaction of a payout: money on its way to our bank, or back from it. */
export async function bookPayoutMovement(
  deps: ActivityDependencies,
  moved: { readonly id: string; readonly source: string },
): Promise<void> {
  await settlePayout(deps, moved.source);
  await inTransaction(deps.db, async (tx) => {
    const transaction = await findBalanceTransaction(tx, moved.id);
    if (transaction === undefined) return;
    const { id: balanceTransactionId, createdAt, amount } = transaction;
    const facts = {
      sourceKey: movementKey(balanceTransactionId),
      currency: currency(transaction.currency),
      occurredAt: createdAt,
      effectiveAt: createdAt,
      balanceTransactionId,
      payoutId: moved.source,
    };
    const of = (minor: bigint) => ledgerAmountAtStripe(minor, transaction.currency);
    const paid = await findEntryOfCause(tx, "payout_paid", { type: "payout", id: moved.source });
    const entry: JournalEntryDraft =
      amount < 0n
        ? payoutSent({ ...facts, amount: of(-amount) })
        : payoutFailed({ ...facts, amount: of(amount), after: paid === undefined ? "sent" : "paid" });
    await bookMovement(tx, entry);
  });
}

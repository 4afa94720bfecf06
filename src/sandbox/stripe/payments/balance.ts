import type { BalanceTransaction } from "../state/objects.ts";
import type { Transaction } from "../state/transaction.ts";

type Movement = Pick<BalanceTransaction, "amount" | "currency" | "reporting_category" | "source" | "type"> & {
  /** What Stripe keeps; negative when it gives a fee back. */
  readonly fee?: number;
  readonly description?: string;
  /** Seconds until the money can be paid out; at once when left out. */
  readonly availableAfter?: number;
};

/** Moves the account's balance. Every movement is one balance transaction, and there is no other way to move it. */
export function moveStripeBalance(tx: Transaction, movement: Movement): BalanceTransaction {
  const { description = null, availableAfter = 0, ...settled } = settledAt(tx, movement);
  const { fee = 0, amount, currency, ...kind } = settled;
  const detail = {
    amount: fee,
    application: null,
    currency,
    description: description ?? "Stripe processing fees",
    type: "stripe_fee",
  };
  return tx.put({
    id: tx.newId("txn"),
    object: "balance_transaction",
    created: tx.now,
    amount,
    fee,
    net: amount - fee,
    currency,
    available_on: tx.now + availableAfter,
    balance_type: "payments",
    description,
    fee_details: fee === 0 ? [] : [detail],
    ...kind,
  });
}

/** An account that settles in one currency has what it takes in others exchanged at the rate of the moment, fees included. */
function settledAt(tx: Transaction, movement: Movement): Movement & { readonly exchange_rate?: number } {
  const settlement = tx.find("settings", "settings")?.settlement;
  if (!settlement || settlement.currency === movement.currency) return movement;
  const { currency, rate } = settlement;
  const exchanged = (amount: number) => Math.round(amount * rate);
  const { amount, fee = 0 } = movement;
  return { ...movement, amount: exchanged(amount), fee: exchanged(fee), currency, exchange_rate: rate };
}

/** What can be paid out now of each currency, and what cannot yet. */
export function stripeBalanceOf(tx: Transaction): Map<string, { available: number; pending: number }> {
  const balances = new Map<string, { available: number; pending: number }>();
  for (const { currency, net, available_on: availableOn } of tx.list("balance_transaction")) {
    const balance = balances.get(currency) ?? { available: 0, pending: 0 };
    if (availableOn <= tx.now) balance.available += net;
    else balance.pending += net;
    balances.set(currency, balance);
  }
  return balances;
}

import type { Account } from "../state/account.ts";

/** What an audit compares with the ledger: every invoice, intent, charge, refund, dispute and payout, oldest first. */
export function dumpOf(account: Account) {
  const invoices = [...account.rows("invoice").newestFirst()].toReversed();
  return {
    account: account.id,
    now: account.now(),
    invoices: invoices.map(({ hosted_token: _token, ...invoice }) => invoice),
    payment_intents: [...account.rows("payment_intent").newestFirst()].toReversed(),
    charges: [...account.rows("charge").newestFirst()].toReversed(),
    refunds: [...account.rows("refund").newestFirst()].toReversed(),
    disputes: [...account.rows("dispute").newestFirst()].toReversed(),
    payouts: [...account.rows("payout").newestFirst()].toReversed(),
    balance_transactions: [...account.rows("balance_transaction").newestFirst()].toReversed(),
    customers: [...account.rows("customer").newestFirst()].toReversed(),
  };
}

import type { Stripe } from "stripe";
import { type Instant, instantOfEpochMs } from "../domain/calendar/index.ts";

/** One movement of Stripe's balance, in Stripe's minor units; signed: what leaves the balance is negative. */
export type BalanceTransactionAtStripe = {
  readonly id: string;
  readonly type: string;
  readonly reportingCategory: string;
  readonly currency: string;
  readonly amount: bigint;
  readonly fee: bigint;
  readonly net: bigint;
  /** The charge, refund, dispute or payout behind it. */
  readonly source: string | null;
  readonly description: string | null;
  readonly createdAt: Instant;
  readonly availableOn: Instant;
};

export type BalanceTransactionPage = {
  readonly transactions: readonly BalanceTransactionAtStripe[];
  readonly hasMore: boolean;
};

export type BalanceTransactionQuery = {
  /** Nothing made before this; everything when null. */
  readonly since: Instant | null;
  /** The page behind this transaction; the first when null. */
  readonly after: string | null;
};

const pageSize = 100;

/** A page of all that moved the balance, the newest first. */
export async function readBalanceTransactions(
  stripe: Stripe,
  { since, after }: BalanceTransactionQuery,
): Promise<BalanceTransactionPage> {
  const page = await stripe.balanceTransactions.list({
    limit: pageSize,
    ...(since === null ? {} : { created: { gte: Math.floor(since / 1000) } }),
    ...(after === null ? {} : { starting_after: after }),
  });
  return { transactions: page.data.map(transactionOf), hasMore: page.has_more };
}

function transactionOf(transaction: Stripe.BalanceTransaction): BalanceTransactionAtStripe {
  const { id, type, reporting_category: reportingCategory, currency, description, source } = transaction;
  return {
    id,
    type,
    reportingCategory,
    currency,
    amount: BigInt(transaction.amount),
    fee: BigInt(transaction.fee),
    net: BigInt(transaction.net),
    source: source !== null && typeof source === "object" ? source.id : source,
    description,
    createdAt: instantOfEpochMs(transaction.created * 1000),
    availableOn: instantOfEpochMs(transaction.available_on * 1000),
  };
}

/** What Stripe says that it holds for us, per currency, in Stripe's minor units: available and pending together. */
export async function readStripeBalance(stripe: Stripe): Promise<ReadonlyMap<string, bigint>> {
  const { available, pending } = await stripe.balance.retrieve();
  const held = new Map<string, bigint>();
  for (const { currency, amount } of [...available, ...pending]) {
    held.set(currency, (held.get(currency) ?? 0n) + BigInt(amount));
  }
  return held;
}

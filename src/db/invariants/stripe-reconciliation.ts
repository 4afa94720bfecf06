import type { Stripe } from "stripe";
import { ledgerAmountAtStripe } from "../../domain/money/index.ts";
import { rows, sql, type Tx } from "../database.ts";
import { sides } from "./invariant-query.ts";
import { compareWithStripe, type StripeComparison } from "./stripe-invariants.ts";

/** What Stripe says that it holds for us, and what account 1000 says. In 10⁻⁸ of our minor unit. */
export interface HeldBalance {
  readonly currency: string;
  readonly atStripe: bigint;
  readonly inLedger: bigint;
}

/** Money on its way through an account that must come back to zero. */
export interface MoneyUnderWay {
  readonly account: string;
  /** The payment, payout, dispute, refund or balance transaction that it is of. */
  readonly of: string;
  readonly currency: string;
  readonly amount: bigint;
  readonly since: string;
}

export interface StripeReconciliation extends StripeComparison {
  readonly held: readonly HeldBalance[];
  readonly underWay: readonly MoneyUnderWay[];
}

/** Whether nothing differs. Money under way is no difference: it says where it is. */
export const isReconciled = ({ held, differences }: StripeReconciliation): boolean =>
  differences.length === 0 && held.every(({ atStripe, inLedger }) => atStripe === inLedger);

/**
 * Stripe's account against ours, to the last fraction of a cent: what it holds per currency, every balance transaction one by
 * one, and what is on its way through clearing, payouts, disputes, refunds and suspense.
 */
export async function reconcileWithStripe(
  tx: Pick<Tx, "execute">,
  stripe: Pick<Stripe, "balance" | "balanceTransactions">,
): Promise<StripeReconciliation> {
  const underWay = await moneyUnderWay(tx);
  const comparison = await compareWithStripe(tx, stripe);
  const { available, pending } = await stripe.balance.retrieve();
  const atStripe = new Map<string, bigint>();
  for (const { currency, amount } of [...available, ...pending]) {
    const held = ledgerAmountAtStripe(BigInt(amount), currency);
    atStripe.set(currency, (atStripe.get(currency) ?? 0n) + held);
  }
  const inLedger = new Map(comparison.totals.map(({ currency, ledgerNet }) => [currency, ledgerNet]));
  const currencies = [...new Set([...atStripe.keys(), ...inLedger.keys()])].sort();
  const held = currencies.map((currency) => ({
    currency,
    atStripe: atStripe.get(currency) ?? 0n,
    inLedger: inLedger.get(currency) ?? 0n,
  }));
  return { ...comparison, held, underWay };
}

async function moneyUnderWay(tx: Pick<Tx, "execute">): Promise<MoneyUnderWay[]> {
  const found = await rows<{
    account: string;
    of: string | null;
    currency: string;
    amount: string;
    since: string;
  }>(
    tx,
    sql.raw(`
      select code as account, case code
          when '1010' then metadata ->> 'payment_id' when '1030' then metadata ->> 'payout_id'
          when '1120' then dimensions ->> 'dispute' when '2400' then dimensions ->> 'refund' else cause_id end as of,
        currency, sum(amount)::text as amount, min(effective_at)::text as since
      from (${sides}) as side where code in ('1010', '1030', '1120', '2400', '9100')
      group by 1, 2, 3 having sum(amount) <> 0 order by 1, 5`),
  );
  return found.map(({ amount, of, ...each }) => ({ ...each, of: of ?? "unknown", amount: BigInt(amount) }));
}

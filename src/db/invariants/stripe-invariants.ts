import type { Stripe } from "stripe";
import { rows, sql, type Tx } from "../database.ts";
import { type InvariantQuery, inLedgerUnits, sides } from "./invariant-query.ts";

/** The Stripe balance, as far as the database alone can tell. */
export const stripeInvariants: readonly InvariantQuery[] = [
  {
    name: "V7: the Stripe balance, 1000, is the sum of the balance transactions that were recorded",
    sql: `
      select currency, sum(amount) as balance, sum(amount) filter (where cause_type = 'stripe_balance_transaction') as recorded,
        array_agg(distinct entry_id) filter (where cause_type <> 'stripe_balance_transaction') as entries
      from (${sides}) as side where code = '1000' group by currency
      having sum(amount) <> coalesce(sum(amount) filter (where cause_type = 'stripe_balance_transaction'), 0)`,
  },
  {
    name: "V7: a payment reaches the Stripe balance once, for its amount",
    sql: `
      select payment.stripe_payment_intent_id, payment.amount_minor, recorded.transactions, recorded.gross
      from (
        select metadata ->> 'payment_id' as payment_id, count(distinct cause_id) as transactions, -sum(amount) as gross
        from (${sides}) as side where kind = 'balance_transaction_recorded' and code = '1010' group by 1
      ) as recorded
      join billing.payment as payment on payment.stripe_payment_intent_id = recorded.payment_id
      where recorded.transactions > 1 or recorded.gross <> ${inLedgerUnits("payment.amount_minor")}`,
  },
];

/** Amounts are in 10⁻⁸ of the minor unit. */
export interface StripeTotals {
  readonly currency: string;
  /** What reached the balance, fees taken off. */
  readonly stripeNet: bigint;
  readonly ledgerNet: bigint;
  readonly stripeFees: bigint;
  readonly ledgerFees: bigint;
}

export interface StripeDifference {
  readonly balanceTransaction: string;
  readonly currency: string;
  readonly problem: "not in the ledger" | "not at Stripe" | "different amounts";
  /** Net and fee; null on the side that does not know it. */
  readonly atStripe: readonly [net: bigint, fee: bigint] | null;
  readonly inLedger: readonly [net: bigint, fee: bigint] | null;
}

export interface StripeComparison {
  readonly totals: readonly StripeTotals[];
  readonly differences: readonly StripeDifference[];
  /** At Stripe, and too young to be missed in the ledger. */
  readonly pending: readonly StripeDifference[];
}

interface BalanceTransaction {
  readonly currency: string;
  readonly net: bigint;
  readonly fee: bigint;
}

type BalanceTransactions = ReadonlyMap<string, BalanceTransaction>;

/**
 * Compares the ledger with Stripe's own list of balance transactions, one by one and per currency. The ledger is read
 * first: what it knows, Stripe must know.
 * @param youngFrom seconds since 1970: a transaction made at Stripe from then on may still be missing in the ledger
 */
export async function compareWithStripe(
  tx: Pick<Tx, "execute">,
  stripe: Pick<Stripe, "balanceTransactions">,
  youngFrom = Number.POSITIVE_INFINITY,
): Promise<StripeComparison> {
  const inLedger = await recordedTransactions(tx);
  const { atStripe, young } = await listedTransactions(stripe, youngFrom);
  const ids = new Set([...inLedger.keys(), ...atStripe.keys()]);
  const found = [...ids].flatMap((id) => difference(id, atStripe.get(id), inLedger.get(id)));
  const isPending = ({ problem, balanceTransaction }: StripeDifference) =>
    problem === "not in the ledger" && young.has(balanceTransaction);
  return {
    totals: totalsOf(atStripe, inLedger),
    differences: found.filter((each) => !isPending(each)),
    pending: found.filter(isPending),
  };
}

async function recordedTransactions(tx: Pick<Tx, "execute">): Promise<BalanceTransactions> {
  const found = await rows<{ id: string; currency: string; net: string; fee: string }>(
    tx,
    sql.raw(`
      select cause_id as id, currency, coalesce(sum(amount) filter (where code = '1000'), 0) as net,
        coalesce(sum(amount) filter (where code = '5000'), 0) as fee
      from (${sides}) as side where cause_type = 'stripe_balance_transaction' group by 1, 2`),
  );
  return new Map(
    found.map(({ id, currency, net, fee }) => [id, { currency, net: BigInt(net), fee: BigInt(fee) }]),
  );
}

async function listedTransactions(stripe: Pick<Stripe, "balanceTransactions">, youngFrom: number) {
  const atStripe = new Map<string, BalanceTransaction>();
  const young = new Set<string>();
  for await (const { id, currency, net, fee, created } of stripe.balanceTransactions.list({ limit: 100 })) {
    atStripe.set(id, { currency, net: inLedgerUnit(net), fee: inLedgerUnit(fee) });
    if (created >= youngFrom) young.add(id);
  }
  return { atStripe, young };
}

function difference(
  balanceTransaction: string,
  atStripe: BalanceTransaction | undefined,
  inLedger: BalanceTransaction | undefined,
): StripeDifference[] {
  if (atStripe?.net === inLedger?.net && atStripe?.fee === inLedger?.fee) return [];
  const amounts = (side: BalanceTransaction | undefined) => side && ([side.net, side.fee] as const);
  return [
    {
      balanceTransaction,
      currency: (atStripe ?? inLedger)?.currency ?? "",
      problem: !inLedger ? "not in the ledger" : !atStripe ? "not at Stripe" : "different amounts",
      atStripe: amounts(atStripe) ?? null,
      inLedger: amounts(inLedger) ?? null,
    },
  ];
}

function totalsOf(atStripe: BalanceTransactions, inLedger: BalanceTransactions): StripeTotals[] {
  const ofCurrency = (side: BalanceTransactions, name: string) =>
    [...side.values()].filter(({ currency }) => currency === name);
  const sum = (some: readonly BalanceTransaction[], part: "net" | "fee") =>
    some.reduce((total, each) => total + each[part], 0n);
  const currencies = new Set([...atStripe.values(), ...inLedger.values()].map(({ currency }) => currency));
  return [...currencies].sort().map((currency) => {
    const stripeSide = ofCurrency(atStripe, currency);
    const ledgerSide = ofCurrency(inLedger, currency);
    return {
      currency,
      stripeNet: sum(stripeSide, "net"),
      ledgerNet: sum(ledgerSide, "net"),
      stripeFees: sum(stripeSide, "fee"),
      ledgerFees: sum(ledgerSide, "fee"),
    };
  });
}

/** The SDK gives whole minor units as numbers. */
const inLedgerUnit = (minorUnits: number) => BigInt(minorUnits) * 100_000_000n;

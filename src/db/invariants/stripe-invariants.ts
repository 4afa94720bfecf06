import type { Stripe } from "stripe";
import { ledgerAmountAtStripe } from "../../domain/money/index.ts";
import { rows, sql, type Tx } from "../database.ts";
import { type InvariantQuery, inLedgerUnits, sides } from "./invariant-query.ts";

/** An SQL expression for an amount of `imported` as Stripe counts its currency, in the ledger's unit: see `minorUnitOf`. */
const stripeInLedgerUnits = (amount: string): string => `(${amount}) * case
  when imported.currency in ('isk', 'ugx') then 1000000::numeric
  when imported.currency = 'mga' then 10000000000::numeric
  else 100000000::numeric end`;

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
  {
    name: "V7: what was imported of Stripe's balance and booked has moved 1000 by exactly its net",
    sql: `
      select imported.id, imported.state, imported.currency, imported.net, moved.amount
      from stripe.balance_transaction as imported
      left join (
        select cause_id, currency, sum(amount) as amount from (${sides}) as side
        where code = '1000' and cause_type = 'stripe_balance_transaction' group by 1, 2
      ) as moved on moved.cause_id = imported.id and moved.currency = imported.currency
      where imported.state <> 'waiting' and coalesce(moved.amount, 0) <> ${stripeInLedgerUnits("imported.net")}`,
  },
  {
    name: "V7: no more goes back of a payment, refunded or taken by the bank, than was paid, nor of a credit note than it says",
    sql: `
      select stripe_payment_intent_id as id, amount_minor, billing.given_back_minor(stripe_payment_intent_id) as given_back
      from billing.payment where billing.given_back_minor(stripe_payment_intent_id) > amount_minor
      union all
      select note.id, note.to_refund_minor, coalesce(sum(refund.amount_minor), 0)
      from billing.credit_note as note left join billing.refund as refund on refund.credit_note_id = note.id
      group by note.id having coalesce(sum(refund.amount_minor), 0) <> note.to_refund_minor`,
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
  /** Null while it is in suspense: that it moved is right, what of it was a fee nobody has said. */
  readonly fee: bigint | null;
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
  const found = await rows<{ id: string; currency: string; net: string; fee: string | null }>(
    tx,
    sql.raw(`
      select cause_id as id, currency, coalesce(sum(amount) filter (where code = '1000'), 0) as net,
        case when bool_or(kind <> 'balance_transaction_unmatched') then
          coalesce(sum(amount) filter (where code in ('5000', '5010') and kind <> 'processor_fee_recorded'), 0) end as fee
      from (${sides}) as side where cause_type = 'stripe_balance_transaction' group by 1, 2
      -- What settled in another currency has an entry in its own, too, that moves no balance at Stripe.
      having bool_or(code in ('1000', '5000', '5010'))`),
  );
  return new Map(
    found.map(({ id, currency, net, fee }) => [
      id,
      { currency, net: BigInt(net), fee: fee === null ? null : BigInt(fee) },
    ]),
  );
}

async function listedTransactions(stripe: Pick<Stripe, "balanceTransactions">, youngFrom: number) {
  const atStripe = new Map<string, BalanceTransaction>();
  const young = new Set<string>();
  for await (const { id, currency, net, fee, created } of stripe.balanceTransactions.list({ limit: 100 })) {
    atStripe.set(id, {
      currency,
      net: ledgerAmountAtStripe(BigInt(net), currency),
      fee: ledgerAmountAtStripe(BigInt(fee), currency),
    });
    if (created >= youngFrom) young.add(id);
  }
  return { atStripe, young };
}

function difference(
  balanceTransaction: string,
  atStripe: BalanceTransaction | undefined,
  inLedger: BalanceTransaction | undefined,
): StripeDifference[] {
  const isFeeSame = inLedger?.fee === null || atStripe?.fee === inLedger?.fee;
  if (atStripe?.net === inLedger?.net && isFeeSame) return [];
  const amounts = (side: BalanceTransaction | undefined) => side && ([side.net, side.fee ?? 0n] as const);
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
    some.reduce((total, each) => total + (each[part] ?? 0n), 0n);
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

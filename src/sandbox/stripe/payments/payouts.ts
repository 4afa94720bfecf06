import { refused } from "../http/refusal.ts";
import { type Cause, emit } from "../resources/emit.ts";
import type { Payout } from "../state/objects.ts";
import { moveStripeBalance, stripeBalanceOf } from "./balance.ts";

type PayoutTerms = Pick<Payout, "amount" | "automatic" | "currency" | "metadata"> &
  Partial<Pick<Payout, "description" | "statement_descriptor">>;

const arrivesAfterSeconds = 2 * 24 * 60 * 60;

/** Takes money from the balance and sends it to the bank. */
export function createPayout(cause: Cause, terms: PayoutTerms): Payout {
  const { tx } = cause;
  const available = stripeBalanceOf(tx).get(terms.currency)?.available ?? 0;
  if (terms.amount > available) {
    throw refused(
      "You have insufficient funds in your Stripe account for this transfer.",
      "balance_insufficient",
    );
  }
  const id = tx.newId("po");
  const payout: Payout = tx.put({
    id,
    object: "payout",
    created: tx.now,
    livemode: false,
    arrival_date: tx.now + arrivesAfterSeconds,
    balance_transaction: moveStripeBalance(tx, {
      amount: -terms.amount,
      currency: terms.currency,
      description: "STRIPE PAYOUT",
      reporting_category: "payout",
      source: id,
      type: "payout",
    }).id,
    destination: `ba_${tx.accountId.slice(5)}`,
    method: "standard",
    reconciliation_status: terms.automatic ? "in_progress" : "not_applicable",
    source_type: "card",
    status: "pending",
    type: "bank_account",
    ...terms,
  });
  emit(cause, "payout.created", payout);
  return payout;
}

/** Pays out all that is available, as Stripe does by itself each day. */
export function payOutAll(cause: Cause): Payout[] {
  const balances = [...stripeBalanceOf(cause.tx)].filter(([, { available }]) => available > 0);
  return balances.map(([currency, { available: amount }]) =>
    createPayout(cause, { amount, currency, automatic: true, metadata: {} }),
  );
}

/** The bank has it, or says that it has. */
export function arrive(cause: Cause, payout: Payout): Payout {
  const paid: Payout = cause.tx.put({
    ...payout,
    status: "paid",
    ...(payout.automatic ? { reconciliation_status: "completed" } : {}),
  });
  emit(cause, "payout.paid", paid, payout);
  return paid;
}

/** The bank sends it back; it may have been reported as paid before. */
export function bounce(cause: Cause, payout: Payout, code: string): Payout {
  return comeBack(cause, { ...payout, status: "failed" }, payout, {
    failure_code: code,
    failure_message: "The bank account could not take the payout.",
  });
}

export function cancelPayout(cause: Cause, payout: Payout): Payout {
  return comeBack(cause, { ...payout, status: "canceled" }, payout, {});
}

function comeBack(
  cause: Cause,
  ended: Payout,
  before: Payout,
  failure: Pick<Payout, "failure_code" | "failure_message"> | Record<string, never>,
): Payout {
  const { tx } = cause;
  const back = moveStripeBalance(tx, {
    amount: before.amount,
    currency: before.currency,
    description: "STRIPE PAYOUT",
    reporting_category: "payout_reversal",
    source: before.id,
    type: ended.status === "failed" ? "payout_failure" : "payout_cancel",
  });
  const after: Payout = tx.put({ ...ended, ...failure, failure_balance_transaction: back.id });
  emit(cause, ended.status === "failed" ? "payout.failed" : "payout.canceled", after, before);
  return after;
}

import { type Cause, emit } from "../resources/emit.ts";
import type { Charge, Refund } from "../state/objects.ts";
import { moveStripeBalance } from "./balance.ts";
import { natureOf } from "./card-behaviour.ts";

type RefundTerms = Pick<Refund, "amount" | "metadata" | "reason">;

/** Sends money back: it leaves the balance now, whether it has reached the customer or is still on its way. */
export function createRefund(cause: Cause, charge: Charge, terms: RefundTerms): Refund {
  const { tx } = cause;
  const id = tx.newId("re");
  const refund: Refund = tx.put({
    id,
    object: "refund",
    created: tx.now,
    currency: charge.currency,
    status: natureOf(tx, charge.payment_method) === "refund_pending" ? "pending" : "succeeded",
    charge: charge.id,
    payment_intent: charge.payment_intent,
    // Stripe keeps its fee when money goes back.
    balance_transaction: moveStripeBalance(tx, {
      amount: -terms.amount,
      currency: charge.currency,
      description: "REFUND FOR CHARGE",
      reporting_category: "refund",
      source: id,
      type: "refund",
    }).id,
    ...terms,
  });
  emit(cause, "refund.created", refund);
  noteRefunded(cause, charge, terms.amount);
  return refund;
}

/** The money has reached the customer. */
export function settleRefund(cause: Cause, refund: Refund): Refund {
  const settled: Refund = cause.tx.put({ ...refund, status: "succeeded" });
  emit(cause, "refund.updated", settled, refund);
  emit(cause, "charge.refund.updated", settled, refund);
  return settled;
}

/** The customer's bank sends it back, perhaps days after it had succeeded: the money is in the balance again. */
export function failRefund(cause: Cause, refund: Refund, reason: string): Refund {
  const failed = takeBack(cause, { ...refund, status: "failed", failure_reason: reason });
  emit(cause, "refund.updated", failed, refund);
  emit(cause, "refund.failed", failed);
  emit(cause, "charge.refund.updated", failed, refund);
  return failed;
}

export function cancelRefund(cause: Cause, refund: Refund): Refund {
  const canceled = takeBack(cause, { ...refund, status: "canceled" });
  emit(cause, "refund.updated", canceled, refund);
  return canceled;
}

function takeBack(cause: Cause, refund: Refund): Refund {
  const { tx } = cause;
  const back = moveStripeBalance(tx, {
    amount: refund.amount,
    currency: refund.currency,
    description: "REFUND FAILURE",
    reporting_category: "refund_failure",
    source: refund.id,
    type: "refund_failure",
  });
  noteRefunded(cause, tx.get("charge", refund.charge), -refund.amount);
  return tx.put({ ...refund, failure_balance_transaction: back.id });
}

function noteRefunded(cause: Cause, charge: Charge, amount: number): void {
  const refunded = charge.amount_refunded + amount;
  const after: Charge = cause.tx.put({
    ...charge,
    amount_refunded: refunded,
    refunded: refunded === charge.amount,
  });
  emit(cause, amount > 0 ? "charge.refunded" : "charge.updated", after, charge);
}

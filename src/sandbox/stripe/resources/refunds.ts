import { createdWithin, page } from "../http/lists.ts";
import { badParameter, missingParameter, refused } from "../http/refusal.ts";
import { type Call, listParameters, pathId, type Reply, type Route } from "../http/route.ts";
import { integer, mergedMetadata, text } from "../schema/access.ts";
import type { Charge, Refund } from "../state/objects.ts";
import type { Transaction } from "../state/transaction.ts";
import { emit } from "./emit.ts";
import { render } from "./render.ts";

export const refundRoutes: readonly Route[] = [
  {
    operation: "POST /v1/refunds",
    honours: ["amount", "charge", "payment_intent", "reason", "metadata"],
    handle: create,
  },
  {
    operation: "GET /v1/refunds",
    honours: [...listParameters, "created", "charge", "payment_intent"],
    handle: listAll,
  },
  { operation: "GET /v1/refunds/{refund}", honours: [], handle: retrieve },
];

function create(call: Call): Reply {
  const { tx, params } = call;
  const charge = chargeToRefund(call);
  const left = charge.amount - charge.amount_refunded;
  if (charge.status !== "succeeded")
    throw refused(`Charge ${charge.id} did not succeed.`, "charge_not_refundable");
  if (left === 0) throw refused(`Charge ${charge.id} has already been refunded.`, "charge_already_refunded");
  const amount = integer(params, "amount") ?? left;
  if (amount < 1) throw badParameter("Invalid positive integer", "amount", "parameter_invalid_integer");
  if (amount > left) {
    const message = `Refund amount (${amount}) is greater than unrefunded amount on charge (${left}).`;
    throw refused(message, "charge_invalid_parameter", "amount");
  }
  const id = tx.newId("re");
  const refund: Refund = tx.put({
    id,
    object: "refund",
    created: tx.now,
    amount,
    currency: charge.currency,
    status: "succeeded",
    charge: charge.id,
    payment_intent: charge.payment_intent,
    reason: text(params, "reason") ?? null,
    balance_transaction: bookRefund(tx, id, amount, charge.currency),
    metadata: mergedMetadata(params),
  });
  const refunded = charge.amount_refunded + amount;
  const after = tx.put({ ...charge, amount_refunded: refunded, refunded: refunded === charge.amount });
  emit(call, "refund.created", refund);
  emit(call, "charge.refunded", after, charge);
  return render(tx, refund);
}

function chargeToRefund({ tx, params }: Call): Charge {
  const chargeId = text(params, "charge");
  const intentId = text(params, "payment_intent");
  if (chargeId !== undefined) return tx.get("charge", chargeId, "charge");
  if (intentId === undefined) throw missingParameter("charge");
  const { latest_charge: latest } = tx.get("payment_intent", intentId, "payment_intent");
  if (!latest)
    throw refused(
      "This PaymentIntent has no successful charge to refund.",
      "payment_intent_unexpected_state",
    );
  return tx.get("charge", latest, "payment_intent");
}

/** Stripe keeps its fee when money goes back. */
function bookRefund(tx: Transaction, refundId: string, amount: number, currency: string): string {
  const booked = tx.put({
    id: tx.newId("txn"),
    object: "balance_transaction",
    created: tx.now,
    amount: -amount,
    fee: 0,
    net: -amount,
    currency,
    available_on: tx.now,
    balance_type: "payments",
    fee_details: [],
    reporting_category: "refund",
    source: refundId,
    status: "available",
    type: "refund",
  });
  return booked.id;
}

function retrieve(call: Call): Reply {
  return render(call.tx, call.tx.get("refund", pathId(call, "refund")));
}

function listAll({ tx, params }: Call): Reply {
  const charge = text(params, "charge");
  const intent = text(params, "payment_intent");
  const isWithin = createdWithin(params);
  const rows = tx
    .list("refund")
    .filter(
      (row) =>
        isWithin(row) &&
        (charge === undefined || row.charge === charge) &&
        (intent === undefined || row.payment_intent === intent),
    );
  return page(params, "/v1/refunds", rows, (row) => render(tx, row));
}

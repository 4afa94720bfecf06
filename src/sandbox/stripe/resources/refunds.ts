import { createdWithin, page } from "../http/lists.ts";
import { badParameter, missingParameter, refused } from "../http/refusal.ts";
import { type Call, listParameters, pathId, type Reply, type Route } from "../http/route.ts";
import { isChargedBack } from "../payments/disputes.ts";
import { cancelRefund, createRefund } from "../payments/refunds.ts";
import { integer, mergedMetadata, text } from "../schema/access.ts";
import type { Charge } from "../state/objects.ts";
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
  { operation: "POST /v1/refunds/{refund}", honours: ["metadata"], handle: update },
  { operation: "POST /v1/refunds/{refund}/cancel", honours: [], handle: cancel },
];

function create(call: Call): Reply {
  const { tx, params } = call;
  const charge = chargeToRefund(call);
  const left = charge.amount - charge.amount_refunded;
  if (charge.status !== "succeeded")
    throw refused(`Charge ${charge.id} did not succeed.`, "charge_not_refundable");
  if (left === 0) throw refused(`Charge ${charge.id} has already been refunded.`, "charge_already_refunded");
  if (isChargedBack(tx, charge.id)) {
    throw refused(`Charge ${charge.id} has been charged back; cannot issue a refund.`, "charge_disputed");
  }
  const amount = integer(params, "amount") ?? left;
  if (amount < 1) throw badParameter("Invalid positive integer", "amount", "parameter_invalid_integer");
  if (amount > left) {
    const message = `Refund amount (${amount}) is greater than unrefunded amount on charge (${left}).`;
    throw refused(message, "charge_invalid_parameter", "amount");
  }
  const reason = text(params, "reason") ?? null;
  return render(tx, createRefund(call, charge, { amount, reason, metadata: mergedMetadata(params) }));
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

function update(call: Call): Reply {
  const { tx, params } = call;
  const before = tx.get("refund", pathId(call, "refund"));
  const after = tx.put({ ...before, metadata: mergedMetadata(params, before.metadata) });
  emit(call, "refund.updated", after, before);
  return render(tx, after);
}

/** Only a refund that waits for the customer to say where the money is to go can be stopped. */
function cancel(call: Call): Reply {
  const refund = call.tx.get("refund", pathId(call, "refund"));
  if (refund.status !== "requires_action") {
    throw refused(`Refund ${refund.id} has a status of ${refund.status} and cannot be canceled.`);
  }
  return render(call.tx, cancelRefund(call, refund));
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

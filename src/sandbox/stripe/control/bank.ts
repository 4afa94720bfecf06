import { decline, succeed } from "../payments/charge.ts";
import { declineError } from "../payments/declines.ts";
import { invoicePaidBy, settleByIntent } from "../payments/settle-invoice.ts";
import { type Cause, emit } from "../resources/emit.ts";
import { succeedSetup } from "../resources/setup-intents.ts";
import type { PaymentIntent, SetupIntent } from "../state/objects.ts";
import type { Transaction } from "../state/transaction.ts";
import { ControlError } from "./fields.ts";

/** The customer confirms to the bank; the intent succeeds, and with it the invoice it belongs to. */
export function completeAuthentication(tx: Transaction, intentId: string): { status: string } {
  const cause = causeOf(tx);
  if (intentId.startsWith("seti_")) return succeedSetup(cause, waitingSetup(tx, intentId));
  const intent = waitingIntent(tx, intentId);
  const attempt = succeed(cause, intent, tx.get("payment_method", intent.payment_method ?? ""));
  const invoice = invoicePaidBy(tx, intent.id);
  if (invoice) settleByIntent(cause, invoice, attempt.intent);
  return { status: attempt.intent.status };
}

/** The customer fails to confirm: the attempt is declined and the intent waits for another method. */
export function failAuthentication(tx: Transaction, intentId: string): { status: string } {
  const cause = causeOf(tx);
  const message = "We are unable to authenticate your payment method. Please choose another and try again.";
  if (intentId.startsWith("seti_")) {
    const error = {
      ...declineError("authentication_required"),
      code: "setup_intent_authentication_failure",
      message,
    };
    const failed: SetupIntent = {
      ...waitingSetup(tx, intentId),
      status: "requires_payment_method",
      last_setup_error: error,
      next_action: null,
    };
    emit(cause, "setup_intent.setup_failed", tx.put(failed));
    return failed;
  }
  const intent = waitingIntent(tx, intentId);
  const error = {
    ...declineError("authentication_required"),
    code: "payment_intent_authentication_failure",
    message,
  };
  const attempt = decline(cause, intent, tx.get("payment_method", intent.payment_method ?? ""), error);
  const invoice = invoicePaidBy(tx, intent.id);
  if (invoice) emit(cause, "invoice.payment_failed", invoice);
  return { status: attempt.intent.status };
}

export function causeOf(tx: Transaction): Cause {
  return { tx, requestId: null, idempotencyKey: null };
}

function waitingIntent(tx: Transaction, id: string): PaymentIntent {
  const intent = tx.get("payment_intent", id);
  if (intent.status !== "requires_action") throw new ControlError(`${id} does not wait for authentication`);
  return intent;
}

function waitingSetup(tx: Transaction, id: string): SetupIntent {
  const intent = tx.get("setup_intent", id);
  if (intent.status !== "requires_action") throw new ControlError(`${id} does not wait for authentication`);
  return intent;
}

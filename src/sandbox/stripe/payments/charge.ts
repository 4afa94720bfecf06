import type { StripeError } from "../http/refusal.ts";
import { type Cause, emit } from "../resources/emit.ts";
import { render } from "../resources/render.ts";
import type {
  BalanceTransaction,
  Charge,
  NextAction,
  PaymentIntent,
  PaymentMethod,
} from "../state/objects.ts";
import type { Transaction } from "../state/transaction.ts";
import { moveStripeBalance } from "./balance.ts";
import { natureOf, nextCardOutcome } from "./card-behaviour.ts";
import { declineError, isCardOutcome } from "./declines.ts";
import { complaintOf, openDispute } from "./disputes.ts";

/** How an attempt ended. The intent is as it is afterwards. */
export type AttemptOutcome =
  | { readonly status: "succeeded"; readonly intent: PaymentIntent; readonly charge: Charge }
  | { readonly status: "requires_action"; readonly intent: PaymentIntent }
  | { readonly status: "declined"; readonly intent: PaymentIntent; readonly error: StripeError };

/** Whether the customer is there to confirm, and where the bank then sends them. */
export type Presence = {
  readonly offSession?: boolean;
  readonly returnTo?: { readonly url: string; readonly page: string };
};

/** Attempts an intent with a card, one that only behaves oddly afterwards among them, and records charge, balance transaction and events. */
export function attemptPayment(
  cause: Cause,
  intent: PaymentIntent,
  method: PaymentMethod,
  { offSession = false, returnTo }: Presence = {},
): AttemptOutcome {
  const outcome = nextCardOutcome(cause.tx, method.id);
  if (outcome === "succeed" || !isCardOutcome(outcome)) return succeed(cause, intent, method);
  if (outcome === "require_action" && offSession) {
    return decline(cause, intent, method, declineError("authentication_required"));
  }
  if (outcome === "require_action") return requireAction(cause, intent, method, returnTo);
  return decline(cause, intent, method, declineError(outcome));
}

/** Charges the card without asking it again: the customer has authenticated. */
export function succeed(cause: Cause, intent: PaymentIntent, method: PaymentMethod): AttemptOutcome {
  const { tx } = cause;
  const chargeId = tx.newId("ch");
  const nature = natureOf(tx, method.id);
  const balance = bookCharge(tx, chargeId, intent, nature);
  const charge: Charge = tx.put({
    ...newCharge(tx, chargeId, intent, method),
    status: "succeeded",
    paid: true,
    captured: true,
    amount_captured: intent.amount,
    balance_transaction: balance.id,
    outcome: {
      network_status: "approved_by_network",
      type: "authorized",
      seller_message: "Payment complete.",
    },
  });
  const { last_payment_error: _error, next_action: _action, ...kept } = intent;
  const paid: PaymentIntent = tx.put({
    ...kept,
    status: "succeeded",
    amount_received: intent.amount,
    payment_method: method.id,
    latest_charge: charge.id,
  });
  emit(cause, "payment_intent.succeeded", paid);
  emit(cause, "charge.succeeded", charge);
  const complaint = complaintOf(nature);
  if (complaint !== undefined) openDispute(cause, charge, complaint);
  return { status: "succeeded", intent: paid, charge };
}

/** Records a failed charge and leaves the intent waiting for another payment method. */
export function decline(
  cause: Cause,
  intent: PaymentIntent,
  method: PaymentMethod,
  error: StripeError,
): AttemptOutcome {
  const { tx } = cause;
  const chargeId = tx.newId("ch");
  const charge: Charge = tx.put({
    ...newCharge(tx, chargeId, intent, method),
    status: "failed",
    failure_code: error.code ?? null,
    failure_message: error.message,
    outcome: {
      advice_code: error.advice_code ?? null,
      network_status: "declined_by_network",
      reason: error.decline_code ?? null,
      type: "issuer_declined",
    },
  });
  const { next_action: _action, payment_method: _method, ...kept } = intent;
  const failed: PaymentIntent = tx.put({
    ...kept,
    status: "requires_payment_method",
    latest_charge: charge.id,
    last_payment_error: { ...error, charge: charge.id, payment_method: render(tx, method) },
  });
  emit(cause, "charge.failed", charge);
  emit(cause, "payment_intent.payment_failed", failed);
  const nested = { payment_intent: render(tx, failed), payment_method: render(tx, method) };
  return { status: "declined", intent: failed, error: { ...error, charge: charge.id, ...nested } };
}

function requireAction(
  cause: Cause,
  intent: PaymentIntent,
  method: PaymentMethod,
  returnTo: Presence["returnTo"],
): AttemptOutcome {
  const waiting: PaymentIntent = cause.tx.put({
    ...intent,
    status: "requires_action",
    payment_method: method.id,
    next_action: nextAction(returnTo),
  });
  emit(cause, "payment_intent.requires_action", waiting);
  return { status: "requires_action", intent: waiting };
}

function nextAction(returnTo: Presence["returnTo"]): NextAction {
  if (returnTo === undefined) {
    return { type: "use_stripe_sdk", use_stripe_sdk: { type: "three_d_secure_redirect" } };
  }
  const { url: returnUrl, page: url } = returnTo;
  return { type: "redirect_to_url", redirect_to_url: { return_url: returnUrl, url } };
}

function newCharge(tx: Transaction, id: string, intent: PaymentIntent, method: PaymentMethod) {
  return {
    id,
    object: "charge",
    created: tx.now,
    livemode: false,
    amount: intent.amount,
    amount_captured: 0,
    amount_refunded: 0,
    billing_details: method.billing_details,
    currency: intent.currency,
    paid: false,
    captured: false,
    refunded: false,
    disputed: false,
    customer: intent.customer ?? null,
    payment_intent: intent.id,
    payment_method: method.id,
    payment_method_details: { type: "card", card: method.card },
    metadata: intent.metadata,
  } as const;
}

const availableAfterSeconds = 2 * 24 * 60 * 60;
const feePerMille = 29;
const feeFixedMinor = 30;

/** Stripe's standard fee for a card, 2.9 % and 30 minor units, rounded half up. */
function bookCharge(
  tx: Transaction,
  chargeId: string,
  { amount, currency }: PaymentIntent,
  nature: string,
): BalanceTransaction {
  return moveStripeBalance(tx, {
    amount,
    fee: Math.floor((amount * feePerMille + 500) / 1000) + feeFixedMinor,
    currency,
    reporting_category: "charge",
    source: chargeId,
    type: "charge",
    availableAfter: nature === "available_at_once" ? 0 : availableAfterSeconds,
  });
}

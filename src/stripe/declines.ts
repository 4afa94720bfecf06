import type { DeclineClass } from "../domain/lifecycle/index.ts";

/** Why a charge was declined, in Stripe's words, and what that means for another attempt. */
export type Decline = {
  readonly code: string;
  readonly adviceCode?: string;
  readonly class: DeclineClass;
};

/**
 * No further attempt with this card helps. The first group is Stripe's list of codes it never retries
 * (docs.stripe.com/billing/revenue-recovery/smart-retries), the second is ours.
 */
const hardCodes = new Set([
  "highest_risk_level",
  "incorrect_number",
  "lost_card",
  "pickup_card",
  "revocation_of_all_authorizations",
  "revocation_of_authorization",
  "stolen_card",
  "transaction_not_allowed",

  "card_not_supported",
  "currency_not_supported",
  "do_not_try_again",
  "expired_card",
  "fraudulent",
  "invalid_account",
]);

const authenticationCodes = new Set([
  "authentication_required",
  "invoice_payment_intent_requires_action",
  "payment_intent_action_required",
  "payment_intent_authentication_failure",
]);

/** The bank or the network was at fault, not the card: it may work within the hour. */
const processingCodes = new Set([
  "issuer_not_available",
  "processing_error",
  "reenter_transaction",
  "try_again_later",
]);

/** Advice comes from the network and goes before the code. What nobody has heard of is soft. */
export function classifyDecline(code: string, adviceCode?: string): Decline {
  const advice = adviceCode === undefined ? {} : { adviceCode };
  return { code, ...advice, class: declineClass(code, adviceCode) };
}

function declineClass(code: string, adviceCode: string | undefined): DeclineClass {
  if (authenticationCodes.has(code)) return "authentication";
  if (adviceCode === "do_not_try_again" || adviceCode === "confirm_card_data") return "hard";
  if (hardCodes.has(code) && adviceCode !== "try_again_later") return "hard";
  if (code === "insufficient_funds") return "insufficient_funds";
  return processingCodes.has(code) ? "processing_error" : "soft";
}

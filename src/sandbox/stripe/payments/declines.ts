import type { StripeError } from "../http/refusal.ts";

type Decline = {
  readonly code: string;
  readonly declineCode: string;
  readonly adviceCode?: "confirm_card_data" | "do_not_try_again" | "try_again_later";
  readonly message: string;
};

/** Declines by the name that test cards and scripts use for them. Sources: docs.stripe.com/testing, /declines/codes */
const declines: Readonly<Record<string, Decline>> = {
  generic_decline: cardDeclined("generic_decline", "try_again_later", "Your card was declined."),
  insufficient_funds: cardDeclined(
    "insufficient_funds",
    "try_again_later",
    "Your card has insufficient funds.",
  ),
  lost_card: cardDeclined("lost_card", "do_not_try_again", "Your card was declined."),
  stolen_card: cardDeclined("stolen_card", "do_not_try_again", "Your card was declined."),
  do_not_honor: cardDeclined("do_not_honor", "try_again_later", "Your card was declined."),
  fraudulent: cardDeclined("fraudulent", "do_not_try_again", "Your card was declined."),
  highest_risk_level: cardDeclined("highest_risk_level", "do_not_try_again", "Your card was declined."),
  card_velocity_exceeded: cardDeclined(
    "card_velocity_exceeded",
    "try_again_later",
    "Your card was declined for making repeated attempts too frequently or exceeding its amount limit.",
  ),
  expired_card: {
    code: "expired_card",
    declineCode: "expired_card",
    adviceCode: "confirm_card_data",
    message: "Your card has expired.",
  },
  incorrect_cvc: {
    code: "incorrect_cvc",
    declineCode: "incorrect_cvc",
    adviceCode: "confirm_card_data",
    message: "Your card's security code is incorrect.",
  },
  processing_error: {
    code: "processing_error",
    declineCode: "processing_error",
    adviceCode: "try_again_later",
    message: "An error occurred while processing your card. Try again in a little bit.",
  },
  authentication_required: {
    code: "authentication_required",
    declineCode: "authentication_required",
    message: "Your card was declined. This transaction requires authentication.",
  },
};

function cardDeclined(
  declineCode: string,
  adviceCode: NonNullable<Decline["adviceCode"]>,
  message: string,
): Decline {
  return { code: "card_declined", declineCode, adviceCode, message };
}

/** `"succeed"`, `"require_action"` or the name of a decline. */
export function isCardOutcome(name: string): boolean {
  return name === "succeed" || name === "require_action" || name in declines;
}

export const cardOutcomes: readonly string[] = ["succeed", "require_action", ...Object.keys(declines)];

/** The `card_error` for a decline by name; an unknown name declines generically. */
export function declineError(name: string): StripeError {
  const decline = declines[name] ?? cardDeclined(name, "try_again_later", "Your card was declined.");
  return {
    type: "card_error",
    code: decline.code,
    decline_code: decline.declineCode,
    advice_code: decline.adviceCode,
    message: decline.message,
  };
}

import type { CardDetails } from "../state/objects.ts";

/** A test card: what it looks like, how a charge ends, and whether it can be saved to a customer at all. */
export type TestCard = {
  readonly number: string;
  readonly brand: string;
  readonly nature: string;
  /** Stripe refuses to attach cards that decline at once; 0341 attaches and then declines. */
  readonly attaches: boolean;
  readonly names: readonly string[];
};

function card(number: string, brand: string, nature: string, attaches: boolean, names: string): TestCard {
  return { number, brand, nature, attaches, names: names.split(" ") };
}

/** Names follow `pm_card_` and `tok_`. Source: docs.stripe.com/testing */
const testCards: readonly TestCard[] = [
  card("4242424242424242", "visa", "succeed", true, "visa us"),
  card("5555555555554444", "mastercard", "succeed", true, "mastercard"),
  card("378282246310005", "amex", "succeed", true, "amex"),
  card("4000056655665556", "visa", "succeed", true, "visa_debit"),
  card("4000000000000341", "visa", "generic_decline", true, "chargeCustomerFail"),
  card("4000000000000002", "visa", "generic_decline", false, "chargeDeclined visa_chargeDeclined"),
  card(
    "4000000000009995",
    "visa",
    "insufficient_funds",
    false,
    "chargeDeclinedInsufficientFunds visa_chargeDeclinedInsufficientFunds",
  ),
  card("4000000000009987", "visa", "lost_card", false, "visa_chargeDeclinedLostCard chargeDeclinedLostCard"),
  card(
    "4000000000009979",
    "visa",
    "stolen_card",
    false,
    "visa_chargeDeclinedStolenCard chargeDeclinedStolenCard",
  ),
  card("4000000000000069", "visa", "expired_card", false, "chargeDeclinedExpiredCard"),
  card("4000000000000127", "visa", "incorrect_cvc", false, "chargeDeclinedIncorrectCvc"),
  card("4000000000000119", "visa", "processing_error", false, "chargeDeclinedProcessingError"),
  card(
    "4000000000006975",
    "visa",
    "card_velocity_exceeded",
    false,
    "visa_chargeDeclinedVelocityLimitExceeded chargeDeclinedVelocityLimitExceeded",
  ),
  card("4100000000000019", "visa", "fraudulent", false, "chargeDeclinedFraudulent radarBlock"),
  card("4000000000004954", "visa", "highest_risk_level", true, "riskLevelHighest"),
  card("4000002760003184", "visa", "require_action", true, "authenticationRequired threeDSecure2Required"),
  card("4000002500003155", "visa", "require_action_until_set_up", true, "authenticationRequiredOnSetup"),
  // These are charged, and then: the bank takes the payment back, or asks; a refund takes time, or comes back.
  card("4000000000000259", "visa", "dispute_fraudulent", true, "createDispute"),
  card("4000000000002685", "visa", "dispute_product_not_received", true, "createDisputeProductNotReceived"),
  card("4000000000001976", "visa", "dispute_inquiry", true, "createDisputeInquiry"),
  card("4000000000007726", "visa", "refund_pending", true, "pendingRefund"),
  card("4000000000005126", "visa", "refund_fails", true, "refundFail"),
  card("4000000000000077", "visa", "available_at_once", true, "bypassPending"),
];

/** By `pm_card_visa` or `tok_visa`. */
export function testCardByToken(token: string): TestCard | undefined {
  const name = token.replace(/^(pm_card|tok)_/, "");
  return name === token ? undefined : testCards.find(({ names }) => names.includes(name));
}

/** By the fingerprint its payment methods carry. */
export function testCardByFingerprint(fingerprint: string): TestCard | undefined {
  return testCards.find((each) => fingerprintOf(each) === fingerprint);
}

export function testCardByNumber(number: string): TestCard | undefined {
  return testCards.find((each) => each.number === number.replaceAll(" ", ""));
}

/** The card as the API shows it; cards without a given expiry are good for the simulated year after next. */
export function cardDetails(testCard: TestCard, expiry: { month: number; year: number }): CardDetails {
  return {
    brand: testCard.brand,
    country: "US",
    exp_month: expiry.month,
    exp_year: expiry.year,
    fingerprint: fingerprintOf(testCard),
    funding: testCard.names.includes("visa_debit") ? "debit" : "credit",
    last4: testCard.number.slice(-4),
  };
}

function fingerprintOf(testCard: TestCard): string {
  return `sandbox${testCard.number.slice(-8)}`;
}

import { refused, StripeRefusal } from "../http/refusal.ts";
import { giveCardNature } from "../payments/card-behaviour.ts";
import { declineError } from "../payments/declines.ts";
import {
  cardDetails,
  type TestCard,
  testCardByFingerprint,
  testCardByToken,
} from "../payments/test-cards.ts";
import type { Customer, PaymentMethod } from "../state/objects.ts";
import type { Transaction } from "../state/transaction.ts";
import { type Cause, emit } from "./emit.ts";

function yearAfterNext(tx: Transaction): number {
  return new Date(tx.now * 1000).getUTCFullYear() + 2;
}

type Expiry = { readonly month: number; readonly year: number };

/** A payment method that nobody has saved yet. Without an expiry the card is good until the year after next. */
export function newMethod(tx: Transaction, testCard: TestCard, expiry: Partial<Expiry> = {}): PaymentMethod {
  const method: PaymentMethod = tx.put({
    id: tx.newId("pm"),
    object: "payment_method",
    created: tx.now,
    livemode: false,
    type: "card",
    allow_redisplay: "unspecified",
    billing_details: { address: null, email: null, name: null, phone: null, tax_id: null },
    card: cardDetails(testCard, { month: expiry.month ?? 12, year: expiry.year ?? yearAfterNext(tx) }),
    metadata: {},
  });
  giveCardNature(tx, method.id, testCard.nature);
  return method;
}

/** A method by id; `pm_card_visa` and its like make a new one each time, as with Stripe. */
export function usableMethod(tx: Transaction, token: string, param: string): PaymentMethod {
  const testCard = token.startsWith("pm_card_") ? testCardByToken(token) : undefined;
  if (testCard) return newMethod(tx, testCard);
  return tx.get("payment_method", token, param);
}

/** Saves a method to a customer. Throws the card's decline when its issuer refuses to have it saved. */
export function attach(cause: Cause, method: PaymentMethod, customer: Customer): PaymentMethod {
  const { tx } = cause;
  if (method.customer === customer.id) return method;
  if (method.customer) {
    throw refused(
      "The payment method you provided has already been attached to a customer.",
      "payment_method_unexpected_state",
    );
  }
  const testCard = testCardByFingerprint(method.card.fingerprint);
  if (testCard?.attaches === false) throw new StripeRefusal(402, declineError(testCard.nature));
  const attached = tx.put({ ...method, customer: customer.id });
  emit(cause, "payment_method.attached", attached);
  return attached;
}

import { setTimeout as pause } from "node:timers/promises";
import { type CardClaim, claimCardAttempt, finishCardAttempt } from "../db/billing/card-attempts.ts";
import type { StoredCustomer } from "../db/billing/customers.ts";
import type { StoredInvoice } from "../db/billing/invoices.ts";
import { inTransaction } from "../db/database.ts";
import type { paymentAttempt } from "../db/schema/billing.ts";
import { type Instant, isoOf } from "../domain/calendar/index.ts";
import { invariant } from "../domain/errors.ts";
import type { CardLimit, DeclineClass } from "../domain/lifecycle/index.ts";
import { type PaymentOutcome, StripeInvoiceStateError } from "../stripe/index.ts";
import type { Paid } from "./book-payment.ts";
import type { ActivityDependencies } from "./dependencies.ts";
import { policyOfInvoice } from "./policy-of-invoice.ts";

/** What became of a charge, without the amount. */
export type ChargeOutcome =
  | { readonly status: "paid" }
  | { readonly status: "declined"; readonly declineCode: string; readonly declineClass: DeclineClass }
  /** Not sent, because of what networks allow of the card: until then, an ISO time, or never again. */
  | { readonly status: "withheld"; readonly until: string | null };

interface Charge {
  readonly invoice: StoredInvoice;
  readonly customer: StoredCustomer;
  readonly attempt: number;
  readonly at: Instant;
}

type Written = Pick<typeof paymentAttempt.$inferInsert, "outcome" | "declineCode" | "declineClass"> & {
  /** When it was begun first, of a charge that two have begun. */
  readonly attemptedAt?: Instant;
};

/** What a run is told of a charge, what is written down of it, and what Stripe says was paid. */
interface Charged {
  readonly outcome: ChargeOutcome;
  readonly written: Written;
  readonly paid?: Paid;
}

/** Charges of one card wait for each other this long; after that the step is tried again. */
const busyWaitMsMax = 5_000;
const busyLookMs = 100;

class CardBusyError extends Error {
  constructor(invoiceId: string) {
    super(`another charge of the card that invoice ${invoiceId} is to be paid with is under way`);
  }
}

/** Charges the card on file, if networks allow it now. */
export async function chargeCard(deps: ActivityDependencies, charge: Charge): Promise<Charged> {
  const { invoice, customer, attempt } = charge;
  invariant(invoice.stripeInvoiceId, "an invoice is mirrored before it is charged");
  if (customer.paymentMethod === null) return declined("no_payment_method", "hard");
  const { id: stripePaymentMethodId, fingerprint } = customer.paymentMethod;
  const { cardLimit } = await policyOfInvoice(deps.db.orm, invoice);
  const claim = await claimed(deps, charge, fingerprint ?? stripePaymentMethodId, cardLimit);
  if (claim.status === "withheld") return withheld(claim.until);
  const key = { invoiceId: invoice.id, attempt };
  try {
    const { stripeInvoiceId } = invoice;
    const payment = await deps.rail.payInvoice({
      ...key,
      stripeInvoiceId,
      stripePaymentMethodId,
      at: deps.now(),
    });
    await finishCardAttempt(deps.db.orm, key, payment.status, endsCard(payment, cardLimit));
    const { written, ...rest } = charged(payment);
    return { ...rest, written: { ...written, attemptedAt: claim.at } };
  } catch (error) {
    // There was nothing to charge: nothing is under way, and others need not wait.
    if (error instanceof StripeInvoiceStateError) await finishCardAttempt(deps.db.orm, key, "refused");
    throw error;
  }
}

/** Waits until no other charge of the card is under way. */
async function claimed(
  { db }: ActivityDependencies,
  { invoice, customer, attempt, at }: Charge,
  card: string,
  limit: CardLimit,
): Promise<Exclude<CardClaim, { readonly status: "busy" }>> {
  const asked = { invoiceId: invoice.id, attempt, customerId: customer.id, card, at };
  for (let waitedMs = 0; waitedMs <= busyWaitMsMax; waitedMs += busyLookMs) {
    const claim = await inTransaction(db, (tx) => claimCardAttempt(tx, asked, limit));
    if (claim.status !== "busy") return claim;
    await pause(busyLookMs);
  }
  throw new CardBusyError(invoice.id);
}

function endsCard(payment: PaymentOutcome, { neverAfter }: CardLimit): boolean {
  if (payment.status !== "declined") return false;
  return payment.adviceCode === "do_not_try_again" || neverAfter.includes(payment.declineCode);
}

function charged(payment: PaymentOutcome): Charged {
  switch (payment.status) {
    case "paid":
      return { outcome: { status: "paid" }, written: { outcome: "paid" }, paid: payment };
    case "requires_action": {
      const { outcome, written } = declined("authentication_required", "authentication");
      return { outcome, written: { ...written, outcome: "requires_action" } };
    }
    case "declined":
      return declined(payment.declineCode, payment.declineClass);
  }
}

function declined(declineCode: string, declineClass: DeclineClass): Charged {
  const decline = { declineCode, declineClass };
  return { outcome: { status: "declined", ...decline }, written: { outcome: "declined", ...decline } };
}

function withheld(until: Instant | null): Charged {
  const declineCode = until === null ? "card_may_not_be_charged" : "card_limit_reached";
  return {
    outcome: { status: "withheld", until: until === null ? null : isoOf(until) },
    written: { outcome: "withheld", declineCode },
  };
}

import { setTimeout as pause } from "node:timers/promises";
import { type CardClaim, claimCardAttempt, finishCardAttempt } from "../db/billing/card-attempts.ts";
import type { StoredCustomer } from "../db/billing/customers.ts";
import { findInvoice, type StoredInvoice, updateInvoice } from "../db/billing/invoices.ts";
import { lockCustomer } from "../db/billing/subscriptions.ts";
import { inTransaction } from "../db/database.ts";
import type { paymentAttempt } from "../db/schema/billing.ts";
import { type Instant, isoOf } from "../domain/calendar/index.ts";
import { invariant } from "../domain/errors.ts";
import type { CardLimit, DeclineClass } from "../domain/lifecycle/index.ts";
import { type PaymentOutcome, StripeInvoiceStateError } from "../stripe/index.ts";
import { workflowIds } from "../workflows/messages.ts";
import type { Paid } from "./book-payment.ts";
import type { ActivityDependencies } from "./dependencies.ts";
import { policyOfInvoice } from "./policy-of-invoice.ts";
import { tellCopies } from "./tell-copies.ts";

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

/** Void or paid since it was read; who comes again sees it. */
class NothingDueError extends Error {
  constructor(invoiceId: string) {
    super(`nothing is due on invoice ${invoiceId} any more`);
  }
}

/** Charges the card on file, if networks allow it now: through the mirror where there is one, else by an intent. */
export async function chargeCard(deps: ActivityDependencies, charge: Charge): Promise<Charged> {
  const { invoice, customer, attempt } = charge;
  if (customer.paymentMethod === null) return declined("no_payment_method", "hard");
  const card = customer.paymentMethod.fingerprint ?? customer.paymentMethod.id;
  const { cardLimit } = await policyOfInvoice(deps.db.orm, invoice);
  const claim = await claimed(deps, charge, card, cardLimit);
  if (claim.status === "withheld") return withheld(claim.until);
  const key = { invoiceId: invoice.id, attempt };
  try {
    const payment = await charged(deps, charge, { card: customer.paymentMethod.id, claim });
    await finishCardAttempt(deps.db.orm, key, payment.status, endsCard(payment, cardLimit));
    const { written, ...rest } = outcomeOf(payment);
    return { ...rest, written: { ...written, attemptedAt: claim.at } };
  } catch (error) {
    // There was nothing to charge: nothing is under way, and others need not wait.
    if (error instanceof StripeInvoiceStateError) await finishCardAttempt(deps.db.orm, key, "refused");
    throw error;
  }
}

type GrantedClaim = Extract<CardClaim, { readonly status: "granted" }>;

async function charged(
  deps: ActivityDependencies,
  charge: Charge,
  granted: { readonly card: string; readonly claim: GrantedClaim },
): Promise<PaymentOutcome> {
  const { invoice, attempt } = charge;
  const { id: invoiceId, stripeInvoiceId } = invoice;
  if (stripeInvoiceId === null) return await chargedByIntent(deps, charge, granted);
  const stripePaymentMethodId = granted.card;
  // The copy asks for what is due now, whatever was credited a moment ago.
  await tellCopies(deps, invoiceId);
  const current = (await findInvoice(deps.db.orm, invoiceId)) ?? invoice;
  return await deps.rail.payInvoice({
    invoiceId,
    attempt,
    stripeInvoiceId,
    stripePaymentMethodId,
    due: { amountMinor: chargeableMinorOf(current).toString(), currency: invoice.currency },
    at: deps.now(),
  });
}

async function chargedByIntent(
  { db, rail, now }: ActivityDependencies,
  { invoice, customer, attempt }: Charge,
  { card, claim }: { readonly card: string; readonly claim: GrantedClaim },
): Promise<PaymentOutcome> {
  const { collecting } = rail;
  invariant(collecting.by === "payment_intent", "an invoice is mirrored before it is charged");
  invariant(customer.stripeCustomerId, "who has a card is known at Stripe");
  const { id: invoiceId, number, currency, stripePaymentIntentId } = invoice;
  const payment = await rail.payIntent({
    invoiceId,
    number,
    customerId: customer.id,
    stripeCustomerId: customer.stripeCustomerId,
    stripePaymentMethodId: card,
    stripePaymentIntentId,
    amountMinor: claim.amountMinor.toString(),
    currency,
    attempt,
    metadata: { reckoner_workflow: workflowIds.collection(invoiceId) },
    returnUrl: collecting.returnUrl,
    at: now(),
  });
  // What is paid is booked with its intent; what is not goes on with it.
  if (payment.status !== "paid" && payment.stripePaymentIntentId !== undefined) {
    const link = payment.status === "requires_action" ? { hostedInvoiceUrl: payment.hostedInvoiceUrl } : {};
    await updateInvoice(db.orm, invoiceId, {
      stripePaymentIntentId: payment.stripePaymentIntentId,
      ...link,
    });
  }
  return payment;
}

/** Waits until no other charge of the card is under way. */
async function claimed(
  { db }: ActivityDependencies,
  { invoice, customer, attempt, at }: Charge,
  card: string,
  limit: CardLimit,
): Promise<Extract<CardClaim, { readonly status: "granted" | "withheld" }>> {
  for (let waitedMs = 0; waitedMs <= busyWaitMsMax; waitedMs += busyLookMs) {
    const claim = await inTransaction(db, async (tx) => {
      await lockCustomer(tx, customer.id);
      // What is due by now: whoever credits or voids holds the same lock.
      const current = await findInvoice(tx, invoice.id);
      const amountMinor = chargeableMinorOf(current ?? invoice);
      const asked = { invoiceId: invoice.id, attempt, customerId: customer.id, card, amountMinor, at };
      return await claimCardAttempt(tx, asked, limit);
    });
    if (claim.status === "nothing_due") throw new NothingDueError(invoice.id);
    if (claim.status !== "busy") return claim;
    await pause(busyLookMs);
  }
  throw new CardBusyError(invoice.id);
}

/** What an attempt asks for. What was given up can still be paid. */
function chargeableMinorOf({ status, totalMinor, creditedMinor, amountPaidMinor }: StoredInvoice): bigint {
  return status === "open" || status === "uncollectible" ? totalMinor - creditedMinor - amountPaidMinor : 0n;
}

function endsCard(payment: PaymentOutcome, { neverAfter }: CardLimit): boolean {
  if (payment.status !== "declined") return false;
  return payment.adviceCode === "do_not_try_again" || neverAfter.includes(payment.declineCode);
}

function outcomeOf(payment: PaymentOutcome): Charged {
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

import type { Stripe } from "stripe";
import type { Instant } from "../domain/calendar/index.ts";
import { amountToCollect } from "./amounts.ts";
import { StripeCallError, type StripeFailure, StripeInvoiceStateError } from "./errors.ts";
import {
  hasPaymentMethod,
  invoiceState,
  type PaymentOutcome,
  paymentDetails,
  readInvoice,
  readInvoiceState,
  type StripeInvoiceState,
} from "./invoice-state.ts";
import { type OperationLog, recordedCall } from "./operations.ts";
import { recordedClosing } from "./recorded-closing.ts";

export type InvoiceToPay = {
  readonly invoiceId: string;
  readonly stripeInvoiceId: string;
  /** Counts our attempts from 1. A new attempt needs a new number: an old one gives back its old outcome. */
  readonly attempt: number;
  /** Another card than the customer's default. */
  readonly stripePaymentMethodId?: string;
  /** What is due here: another amount is not charged. */
  readonly due?: { readonly amountMinor: string; readonly currency: string };
  readonly at: Instant;
};

export type MirroredInvoiceRef = {
  readonly invoiceId: string;
  readonly stripeInvoiceId: string;
  readonly at: Instant;
};

/**
 * Charges a mirrored invoice once per attempt. It looks first, so that what is paid already is not charged, and, unless it was
 * answered with the paid invoice, looks again afterwards: what Stripe holds decides, not that a call failed. Throws a
 * {@link StripeCallError} when the attempt may still be under way, a {@link StripeInvoiceStateError} when there is nothing to
 * charge.
 */
export async function payInvoice(
  stripe: Stripe,
  log: OperationLog,
  input: InvoiceToPay,
): Promise<PaymentOutcome> {
  const invoice = await readInvoice(stripe, input.stripeInvoiceId);
  const before = invoiceState(invoice);
  if (before.status === "paid") {
    // Nobody asks any more what became of a charge that was sent and not answered: this did.
    await log.succeed(attemptKey(input.invoiceId, input.attempt), before);
    return before;
  }
  assertChargeable(before, input.stripeInvoiceId);
  requireSameAmount(invoice, input);
  if (input.stripePaymentMethodId === undefined && !hasPaymentMethod(invoice)) return noPaymentMethod;
  const { answered, refusal } = await attempt(stripe, log, input);
  if (answered?.status === "paid") return answered;
  const after = await readInvoiceState(stripe, input.stripeInvoiceId);
  if (after.status === "paid" || after.status === "requires_action") return after;
  if (refusal?.failure.kind === "declined") {
    return declinedOutcome(
      refusal.failure,
      after.status === "declined" ? after.stripePaymentIntentId : undefined,
    );
  }
  if (after.status === "declined") return after;
  if (refusal !== undefined) throw refusal;
  throw new StripeInvoiceStateError(input.stripeInvoiceId, after.status);
}

/** Nothing is sent: what Stripe answers here is not certain, and only a card from the customer helps. */
const noPaymentMethod: PaymentOutcome = {
  status: "declined",
  declineCode: "payment_method_missing",
  declineClass: "hard",
};

/** The copy asks for another amount than is due here: something has still to be told, or was changed in Stripe's dashboard. */
export class AmountAtStripeDiffersError extends Error {
  constructor(invoiceId: string, wanted: number, atStripe: number) {
    super(`invoice ${invoiceId} is due with ${wanted} as Stripe counts, and its copy asks for ${atStripe}`);
  }
}

function requireSameAmount(
  { amount_remaining: atStripe }: Stripe.Invoice,
  { invoiceId, due }: InvoiceToPay,
): void {
  if (due === undefined) return;
  const wanted = amountToCollect(due.amountMinor, due.currency);
  if (wanted !== atStripe) throw new AmountAtStripeDiffersError(invoiceId, wanted, atStripe);
}

function assertChargeable(state: StripeInvoiceState, stripeInvoiceId: string): void {
  const chargeable = ["open", "declined", "requires_action", "uncollectible"].includes(state.status);
  if (!chargeable) throw new StripeInvoiceStateError(stripeInvoiceId, state.status);
}

/** Under which an attempt's call is recorded, before it is made. */
export const attemptKey = (invoiceId: string, attempt: number) => `invoice/${invoiceId}/attempt/${attempt}`;

interface Attempted {
  /** The invoice's state as the call answered it. */
  readonly answered?: StripeInvoiceState;
  readonly refusal?: StripeCallError;
}

/** The answer, or the refusal when the outcome is certain. An uncertain outcome is thrown. */
async function attempt(stripe: Stripe, log: OperationLog, input: InvoiceToPay): Promise<Attempted> {
  const { invoiceId, stripeInvoiceId, stripePaymentMethodId, at } = input;
  const body: Stripe.InvoicePayParams = {
    off_session: true,
    expand: paymentDetails,
    ...(stripePaymentMethodId !== undefined && { payment_method: stripePaymentMethodId }),
  };
  try {
    const answered = await recordedCall<StripeInvoiceState>({
      log,
      key: attemptKey(invoiceId, input.attempt),
      operation: "POST /v1/invoices/{invoice}/pay",
      body: { invoice: stripeInvoiceId, ...body },
      at,
      send: async (options) => invoiceState(await stripe.invoices.pay(stripeInvoiceId, body, options)),
      find: async () => {
        const state = await readInvoiceState(stripe, stripeInvoiceId);
        // Nobody had tried before the first attempt: what has become of any is what has become of it.
        const isOfFirst = input.attempt === 1 && ["declined", "requires_action"].includes(state.status);
        return state.status === "paid" || isOfFirst ? state : undefined;
      },
    });
    return { answered };
  } catch (error) {
    const isCertain =
      error instanceof StripeCallError && ["declined", "invalid_request"].includes(error.failure.kind);
    if (isCertain) return { refusal: error };
    throw error;
  }
}

/** A decline as a call was refused with; of this intent, unless the refusal names its own. */
export function declinedOutcome(
  { decline, paymentIntentId }: Extract<StripeFailure, { kind: "declined" }>,
  knownIntentId: string | undefined,
): PaymentOutcome {
  const intentId = paymentIntentId ?? knownIntentId;
  return {
    status: "declined",
    declineCode: decline.code,
    ...(decline.adviceCode !== undefined && { adviceCode: decline.adviceCode }),
    declineClass: decline.class,
    ...(intentId !== undefined && { stripePaymentIntentId: intentId }),
  };
}

/** Withdraws a mirrored invoice. Once it is paid at Stripe this throws a {@link StripeInvoiceStateError}. */
export async function voidInvoice(
  stripe: Stripe,
  log: OperationLog,
  input: MirroredInvoiceRef,
): Promise<void> {
  await closeInvoice(stripe, log, input, "void", (options) =>
    stripe.invoices.voidInvoice(input.stripeInvoiceId, {}, options),
  );
}

/** Writes a mirrored invoice off at Stripe. It can still be paid there. */
export async function markUncollectible(
  stripe: Stripe,
  log: OperationLog,
  input: MirroredInvoiceRef,
): Promise<void> {
  await closeInvoice(stripe, log, input, "uncollectible", (options) =>
    stripe.invoices.markUncollectible(input.stripeInvoiceId, {}, options),
  );
}

async function closeInvoice(
  stripe: Stripe,
  log: OperationLog,
  { invoiceId, stripeInvoiceId, at }: MirroredInvoiceRef,
  status: "uncollectible" | "void",
  close: (options: { idempotencyKey: string }) => Promise<unknown>,
): Promise<void> {
  const path = status === "void" ? "void" : "mark_uncollectible";
  await recordedClosing({
    log,
    key: `invoice/${invoiceId}/${path}`,
    operation: `POST /v1/invoices/{invoice}/${path}`,
    body: { invoice: stripeInvoiceId },
    at,
    stripeId: stripeInvoiceId,
    status,
    close,
    readStatus: async () => (await readInvoiceState(stripe, stripeInvoiceId)).status,
  });
}

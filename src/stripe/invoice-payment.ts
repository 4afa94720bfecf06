import type { Stripe } from "stripe";
import type { Instant } from "../domain/calendar/index.ts";
import { BillingError } from "../domain/errors.ts";
import { StripeCallError, type StripeFailure } from "./errors.ts";
import {
  hasPaymentMethod,
  invoiceState,
  type PaymentOutcome,
  readInvoice,
  readInvoiceState,
  type StripeInvoiceState,
} from "./invoice-state.ts";
import { type OperationLog, recordedCall } from "./operations.ts";

export type InvoiceToPay = {
  readonly invoiceId: string;
  readonly stripeInvoiceId: string;
  /** Counts our attempts from 1. A new attempt needs a new number: an old one gives back its old outcome. */
  readonly attempt: number;
  /** Another card than the customer's default. */
  readonly stripePaymentMethodId?: string;
  readonly at: Instant;
};

export type MirroredInvoiceRef = {
  readonly invoiceId: string;
  readonly stripeInvoiceId: string;
  readonly at: Instant;
};

/** The invoice at Stripe is in a state that this step does not go with: void, closed without a charge, a draft. */
export class StripeInvoiceStateError extends BillingError {
  readonly code = "stripe_invoice_state_unexpected";

  constructor(stripeInvoiceId: string, status: string) {
    super(`Stripe invoice ${stripeInvoiceId} is ${status.replaceAll("_", " ")}`);
  }
}

/**
 * Charges a mirrored invoice once per attempt. It looks first, so that what is paid already is not charged, and
 * looks again afterwards: what Stripe holds decides, not what the call said. Throws a {@link StripeCallError} when
 * the attempt may still be under way, a {@link StripeInvoiceStateError} when there is nothing to charge.
 */
export async function payInvoice(
  stripe: Stripe,
  log: OperationLog,
  input: InvoiceToPay,
): Promise<PaymentOutcome> {
  const invoice = await readInvoice(stripe, input.stripeInvoiceId);
  const before = invoiceState(invoice);
  if (before.status === "paid") return before;
  assertChargeable(before, input.stripeInvoiceId);
  if (input.stripePaymentMethodId === undefined && !hasPaymentMethod(invoice)) return noPaymentMethod;
  const refusal = await attempt(stripe, log, input);
  const after = await readInvoiceState(stripe, input.stripeInvoiceId);
  if (after.status === "paid" || after.status === "requires_action") return after;
  if (refusal?.failure.kind === "declined") return declinedOutcome(refusal.failure, after);
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

function assertChargeable(state: StripeInvoiceState, stripeInvoiceId: string): void {
  const chargeable = ["open", "declined", "requires_action", "uncollectible"].includes(state.status);
  if (!chargeable) throw new StripeInvoiceStateError(stripeInvoiceId, state.status);
}

/** Under which an attempt's call is recorded, before it is made. */
export const attemptKey = (invoiceId: string, attempt: number) => `invoice/${invoiceId}/attempt/${attempt}`;

/** Nothing on success; the refusal when the outcome is certain. An uncertain outcome is thrown. */
async function attempt(
  stripe: Stripe,
  log: OperationLog,
  input: InvoiceToPay,
): Promise<StripeCallError | undefined> {
  const { invoiceId, stripeInvoiceId, stripePaymentMethodId, at } = input;
  const body: Stripe.InvoicePayParams = {
    off_session: true,
    ...(stripePaymentMethodId !== undefined && { payment_method: stripePaymentMethodId }),
  };
  try {
    await recordedCall({
      log,
      key: attemptKey(invoiceId, input.attempt),
      operation: "POST /v1/invoices/{invoice}/pay",
      body: { invoice: stripeInvoiceId, ...body },
      at,
      send: async (options) => ({
        status: (await stripe.invoices.pay(stripeInvoiceId, body, options)).status,
      }),
      find: async () => {
        const { status } = await readInvoiceState(stripe, stripeInvoiceId);
        return status === "paid" ? { status } : undefined;
      },
    });
    return undefined;
  } catch (error) {
    const isCertain =
      error instanceof StripeCallError && ["declined", "invalid_request"].includes(error.failure.kind);
    if (isCertain) return error;
    throw error;
  }
}

function declinedOutcome(
  failure: Extract<StripeFailure, { kind: "declined" }>,
  after: StripeInvoiceState,
): PaymentOutcome {
  const { decline, paymentIntentId } = failure;
  const intentId = paymentIntentId ?? (after.status === "declined" ? after.stripePaymentIntentId : undefined);
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
  const find = async () => {
    const found = await readInvoiceState(stripe, stripeInvoiceId);
    return found.status === status ? { status } : undefined;
  };
  try {
    await recordedCall({
      log,
      key: `invoice/${invoiceId}/${path}`,
      operation: `POST /v1/invoices/{invoice}/${path}`,
      body: { invoice: stripeInvoiceId },
      at,
      send: async (options) => {
        await close(options);
        return { status };
      },
      find,
    });
  } catch (error) {
    const isRefusal = error instanceof StripeCallError && error.failure.kind === "invalid_request";
    if (!isRefusal) throw error;
    const { status: now } = await readInvoiceState(stripe, stripeInvoiceId);
    if (now !== status) throw new StripeInvoiceStateError(stripeInvoiceId, now);
  }
}

import type { Stripe } from "stripe";
import type { Instant } from "../domain/calendar/index.ts";
import { amountToCollect } from "./amounts.ts";
import { StripeCallError } from "./errors.ts";
import { intentDetails, intentState, readIntent } from "./intent-state.ts";
import { attemptKey, declinedOutcome } from "./invoice-payment.ts";
import type { PaymentOutcome } from "./invoice-state.ts";
import { type OperationLog, recordedCall } from "./operations.ts";
import { recordedClosing } from "./recorded-closing.ts";

export type IntentToPay = {
  readonly invoiceId: string;
  readonly number: string;
  readonly customerId: string;
  readonly stripeCustomerId: string;
  readonly stripePaymentMethodId: string;
  /** The invoice's intent; null until an attempt has made it. */
  readonly stripePaymentIntentId: string | null;
  /** What is due, in whole minor units of ours. */
  readonly amountMinor: string;
  readonly currency: string;
  /** Counts our attempts from 1, as with a mirrored invoice. */
  readonly attempt: number;
  readonly metadata: Readonly<Record<string, string>>;
  /** Where a bank sends the customer back to. */
  readonly returnUrl: string;
  readonly at: Instant;
};

export type IntentRef = {
  readonly invoiceId: string;
  readonly stripePaymentIntentId: string;
  readonly at: Instant;
};

/**
 * Charges what is due on an invoice of which Stripe knows nothing else: the first attempt makes the intent and charges it in one
 * call, later ones look at it first, and use the same one, so that it cannot be paid twice. Where a bank wants the customer, the
 * outcome says where they confirm it. Throws a {@link StripeCallError} when the attempt may still be under way, a
 * {@link StripeInvoiceStateError} when there is nothing to charge.
 */
export async function payIntent(
  stripe: Stripe,
  log: OperationLog,
  input: IntentToPay,
): Promise<PaymentOutcome> {
  const before = await lookedAt(stripe, input);
  if (before?.state.status === "paid") {
    // Nobody asks any more what became of calls that were sent and not answered: this did.
    const calls = callsOf(attemptKey(input.invoiceId, input.attempt));
    await Promise.all(Object.values(calls).map((key) => log.succeed(key, before.state)));
    return before.state;
  }
  const outcome =
    before === undefined
      ? await create(stripe, log, input)
      : await confirmAgain(stripe, log, input, before.intent);
  if (outcome.status !== "declined" || outcome.declineClass !== "authentication") return outcome;
  const { stripePaymentIntentId: intentId } = outcome;
  return intentId === undefined ? outcome : await askCustomer(stripe, log, input, intentId);
}

/** Under which the calls of an attempt are recorded. */
const callsOf = (attempt: string) => ({
  charge: attempt,
  withCustomer: `${attempt}/customer`,
  amount: `${attempt}/amount`,
});

/** The invoice's intent as it is before the charge. One that somebody has canceled is as none: another takes its place. */
async function lookedAt(stripe: Stripe, { stripePaymentIntentId: known }: IntentToPay) {
  if (known === null) return undefined;
  const intent = await readIntent(stripe, known);
  const state = intentState(intent);
  return state.status === "canceled" ? undefined : { intent, state };
}

async function create(stripe: Stripe, log: OperationLog, input: IntentToPay): Promise<PaymentOutcome> {
  const { invoiceId, stripeCustomerId, amountMinor, currency } = input;
  const body: Stripe.PaymentIntentCreateParams = {
    amount: amountToCollect(amountMinor, currency),
    currency,
    customer: stripeCustomerId,
    payment_method: input.stripePaymentMethodId,
    off_session: true,
    confirm: true,
    description: `Invoice ${input.number}`,
    metadata: { ...input.metadata, reckoner_invoice: invoiceId, reckoner_customer: input.customerId },
    expand: intentDetails,
  };
  return await attempted(stripe, undefined, () =>
    recordedCall({
      log,
      key: attemptKey(invoiceId, input.attempt),
      operation: "POST /v1/payment_intents",
      body,
      at: input.at,
      send: async (options) => await outcomeOf(stripe, await stripe.paymentIntents.create(body, options)),
      find: async () => {
        const list = stripe.paymentIntents.list({ customer: stripeCustomerId, limit: 100 });
        for await (const found of list) {
          const isOurs = found.metadata.reckoner_invoice === invoiceId && found.status !== "canceled";
          if (isOurs) return await outcomeOf(stripe, await readIntent(stripe, found.id));
        }
        return undefined;
      },
    }),
  );
}

/** Another attempt on the intent that there is. */
async function confirmAgain(
  stripe: Stripe,
  log: OperationLog,
  input: IntentToPay,
  intent: Stripe.PaymentIntent,
): Promise<PaymentOutcome> {
  await agreeOnAmount(stripe, log, input, intent);
  const { invoiceId, attempt, stripePaymentMethodId, at } = input;
  const body = { payment_method: stripePaymentMethodId, off_session: true };
  return await confirmed(stripe, log, {
    key: attemptKey(invoiceId, attempt),
    intentId: intent.id,
    body,
    at,
  });
}

/** The bank wants the customer, who is not here: the same attempt once more, as one that they finish at a link. */
async function askCustomer(
  stripe: Stripe,
  log: OperationLog,
  { invoiceId, attempt, stripePaymentMethodId, returnUrl, at }: IntentToPay,
  intentId: string,
): Promise<PaymentOutcome> {
  const body = { payment_method: stripePaymentMethodId, return_url: returnUrl };
  const key = callsOf(attemptKey(invoiceId, attempt)).withCustomer;
  return await confirmed(stripe, log, { key, intentId, body, at });
}

type Confirmation = {
  readonly key: string;
  readonly intentId: string;
  readonly body: Stripe.PaymentIntentConfirmParams;
  readonly at: Instant;
};

async function confirmed(
  stripe: Stripe,
  log: OperationLog,
  { key, intentId, body, at }: Confirmation,
): Promise<PaymentOutcome> {
  const params = { ...body, expand: intentDetails };
  return await attempted(stripe, intentId, () =>
    recordedCall({
      log,
      key,
      operation: "POST /v1/payment_intents/{intent}/confirm",
      body: { intent: intentId, ...params },
      at,
      send: async (options) =>
        await outcomeOf(stripe, await stripe.paymentIntents.confirm(intentId, params, options)),
      find: async () => {
        const state = intentState(await readIntent(stripe, intentId));
        return state.status === "paid" ? state : undefined;
      },
    }),
  );
}

/** A decline is an outcome. After any other refusal Stripe decides by what it holds: paid meanwhile is paid. */
async function attempted(
  stripe: Stripe,
  intentId: string | undefined,
  call: () => Promise<PaymentOutcome>,
): Promise<PaymentOutcome> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof StripeCallError)) throw error;
    const { failure } = error;
    if (failure.kind === "declined") return declinedOutcome(failure, intentId);
    if (failure.kind === "invalid_request" && intentId !== undefined) {
      const state = intentState(await readIntent(stripe, intentId));
      if (state.status === "paid") return state;
    }
    throw error;
  }
}

/** One that a bank is still at is read again; its attempt has no outcome before. */
async function outcomeOf(stripe: Stripe, intent: Stripe.PaymentIntent): Promise<PaymentOutcome> {
  const answered = intentState(intent);
  const state = isOutcome(answered) ? answered : intentState(await readIntent(stripe, intent.id));
  if (isOutcome(state)) return state;
  throw new StripeCallError("payment_intent", { kind: "conflict" });
}

function isOutcome(state: ReturnType<typeof intentState>): state is PaymentOutcome {
  return state.status !== "open" && state.status !== "canceled";
}

/** Credit notes lower what is due between attempts. */
async function agreeOnAmount(
  stripe: Stripe,
  log: OperationLog,
  { invoiceId, attempt, amountMinor, currency, at }: IntentToPay,
  intent: Stripe.PaymentIntent,
): Promise<void> {
  const amount = amountToCollect(amountMinor, currency);
  if (intent.amount === amount) return;
  await recordedCall({
    log,
    key: callsOf(attemptKey(invoiceId, attempt)).amount,
    operation: "POST /v1/payment_intents/{intent}",
    body: { intent: intent.id, amount },
    at,
    send: async (options) => {
      await stripe.paymentIntents.update(intent.id, { amount }, options);
      return { amount };
    },
    find: async () => ((await readIntent(stripe, intent.id)).amount === amount ? { amount } : undefined),
  });
}

/** Ends an intent, so that nobody pays it any more. Once it is paid this throws a {@link StripeInvoiceStateError}. */
export async function cancelIntent(
  stripe: Stripe,
  log: OperationLog,
  { invoiceId, stripePaymentIntentId: intentId, at }: IntentRef,
): Promise<void> {
  await recordedClosing({
    log,
    key: `invoice/${invoiceId}/cancel-intent`,
    operation: "POST /v1/payment_intents/{intent}/cancel",
    body: { intent: intentId },
    at,
    stripeId: intentId,
    status: "canceled",
    close: (options) => stripe.paymentIntents.cancel(intentId, {}, options),
    readStatus: async () => intentState(await readIntent(stripe, intentId)).status,
  });
}

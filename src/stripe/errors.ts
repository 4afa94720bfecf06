import { Stripe } from "stripe";
import { BillingError } from "../domain/errors.ts";
import { classifyDecline, type Decline } from "./declines.ts";

/** What a failed call means for the next step. Retrying is the activity's decision, taken from `kind`. */
export type StripeFailure =
  | { readonly kind: "declined"; readonly decline: Decline; readonly paymentIntentId?: string }
  /** Nothing was done. */
  | { readonly kind: "rate_limited"; readonly retryAfterMs: number }
  /** Another request holds the key or the object; nothing was done by this one. */
  | { readonly kind: "conflict" }
  /** Done or not, nobody knows: the same key again, or look. */
  | { readonly kind: "unavailable" }
  | {
      readonly kind: "invalid_request";
      readonly code: string;
      readonly param: string | null;
      readonly message: string;
    }
  | { readonly kind: "auth" }
  | { readonly kind: "key_reused" };

/** A call to Stripe that did not succeed, with what that means. */
export class StripeCallError extends Error {
  readonly operation: string;
  readonly failure: StripeFailure;

  constructor(operation: string, failure: StripeFailure, cause?: unknown) {
    super(`Stripe ${operation}: ${describe(failure)}`, { cause });
    this.name = "StripeCallError";
    this.operation = operation;
    this.failure = failure;
  }
}

/** A key that was sent long ago without an answer, for something that cannot be found: a person must look. */
export class StripeOutcomeUnknownError extends BillingError {
  readonly code = "stripe_outcome_unknown";

  constructor(key: string) {
    super(
      `the outcome of ${key} at Stripe is unknown, and it is too old to be sent again; look it up in Stripe`,
    );
  }
}

/** One business fact cannot stand for two different requests. */
export class StripeOperationKeyReusedError extends BillingError {
  readonly code = "stripe_operation_key_reused";

  constructor(key: string) {
    super(`${key} was sent to Stripe before with other parameters`);
  }
}

/** What stands for the invoice at Stripe is in a state that this step does not go with: void, closed without a charge, a draft. */
export class StripeInvoiceStateError extends BillingError {
  readonly code = "stripe_invoice_state_unexpected";

  constructor(stripeId: string, status: string) {
    super(`${stripeId} is ${status.replaceAll("_", " ")} at Stripe`);
  }
}

const retryAfterDefaultMs = 5_000;

/**
 * Classifies what the SDK threw by HTTP status and Stripe's code: the SDK's classes do not tell (a 409 is a
 * plain StripeAPIError, a proxy's 502 has no status). Anything that is not from the SDK is a bug and is rethrown.
 */
export function classifyStripeError(error: unknown): StripeFailure {
  if (!isStripeError(error)) throw error;
  const { statusCode: status, code } = error;
  if (status === 402 || error.rawType === "card_error") return declined(error);
  if (status === 429) {
    return code === "lock_timeout"
      ? { kind: "conflict" }
      : { kind: "rate_limited", retryAfterMs: retryAfterMs(error) };
  }
  if (status === 409) return { kind: "conflict" };
  if (error.rawType === "idempotency_error") return { kind: "key_reused" };
  if (status === 401 || status === 403) return { kind: "auth" };
  if (status === undefined || status >= 500) return { kind: "unavailable" };
  const { message, param } = error;
  return { kind: "invalid_request", code: code ?? "invalid_request", param: param ?? null, message };
}

/** Whether the SDK threw it. */
export function isStripeError(error: unknown): error is Stripe.errors.StripeError {
  return error instanceof Stripe.errors.StripeError;
}

function declined(error: Stripe.errors.StripeError): StripeFailure {
  // The SDK gives an absent decline code as an empty text.
  const decline = classifyDecline(error.decline_code || error.code || "unknown", error.advice_code);
  const intent = error.payment_intent?.id;
  return { kind: "declined", decline, ...(intent !== undefined && { paymentIntentId: intent }) };
}

function retryAfterMs(error: Stripe.errors.StripeError): number {
  const seconds = Number(error.headers?.["retry-after"]);
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : retryAfterDefaultMs;
}

function describe(failure: StripeFailure): string {
  switch (failure.kind) {
    case "declined":
      return `declined (${failure.decline.code}, ${failure.decline.class})`;
    case "invalid_request":
      return `${failure.code}: ${failure.message}`;
    default:
      return failure.kind.replaceAll("_", " ");
  }
}

/** Reads fail with the SDK's errors; the caller gets the same classification as for writes. */
export async function classified<Result>(name: string, work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    if (!isStripeError(error)) throw error;
    throw new StripeCallError(name, classifyStripeError(error), error);
  }
}

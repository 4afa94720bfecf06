import { createHash } from "node:crypto";
import type { Instant } from "../domain/calendar/index.ts";
import {
  classifyStripeError,
  StripeCallError,
  type StripeFailure,
  StripeOperationKeyReusedError,
  StripeOutcomeUnknownError,
} from "./errors.ts";

/** What is known of a call before it is made (again). */
export type OperationState<Result> =
  | { readonly state: "new"; readonly firstSentAt: Instant }
  /** Begun before, with no outcome written down. */
  | { readonly state: "unknown"; readonly firstSentAt: Instant }
  | { readonly state: "succeeded"; readonly response: Result }
  | { readonly state: "refused"; readonly error: StripeFailure }
  /** Begun before with another request hash. */
  | { readonly state: "reused" };

export type OperationStart = {
  readonly key: string;
  readonly operation: string;
  readonly requestHash: string;
  readonly body: unknown;
  readonly at: Instant;
};

/**
 * The permanent record of every write to Stripe, committed before the call is made. `response` and `error` are
 * plain JSON, given back as they were written.
 */
export interface OperationLog {
  begin(start: OperationStart): Promise<OperationState<unknown>>;
  /** The first outcome stays; one of a call that was never begun is that of nothing. So it is with refusals. */
  succeed(key: string, response: unknown): Promise<void>;
  refuse(key: string, error: StripeFailure): Promise<void>;
}

export type RecordedCall<Result> = {
  readonly log: OperationLog;
  /** The business fact: `invoice/inv_1/finalize`. */
  readonly key: string;
  /** Stripe's name: `POST /v1/invoices/{invoice}/finalize`. */
  readonly operation: string;
  readonly body: unknown;
  /** Now. Not an instant that a retry repeats: the age of an unanswered key is counted from it. */
  readonly at: Instant;
  /** Makes the call; gives back the few facts worth remembering, as plain JSON. */
  readonly send: (options: { idempotencyKey: string }) => Promise<Result>;
  /** Reads whether the effect is there already, and its facts. Undefined: it is not. */
  readonly find: () => Promise<Result | undefined>;
};

const hourMs = 60 * 60 * 1000;
/** Stripe may forget a key after 24 hours; resending it then would be a second operation. */
const resendMs = 20 * hourMs;

/**
 * Makes one write at Stripe exactly once, however often it is called: remembered outcomes are given back, an
 * unknown one is sent again under the same key, and when Stripe cannot say what happened (5xx, a lost reply) the
 * effect is looked for. Throws a {@link StripeCallError} with what the failure means.
 */
export async function recordedCall<Result>(call: RecordedCall<Result>): Promise<Result> {
  const { log, key, operation, body, at } = call;
  const begun = await log.begin({ key, operation, requestHash: hashOf({ operation, body }), body, at });
  switch (begun.state) {
    case "succeeded":
      return begun.response as Result;
    case "refused":
      throw new StripeCallError(operation, begun.error);
    case "reused":
      throw new StripeOperationKeyReusedError(key);
    case "unknown":
      if (at - begun.firstSentAt > resendMs) return await foundOrUnknown(call);
  }
  return await sent(call);
}

async function sent<Result>(call: RecordedCall<Result>): Promise<Result> {
  const { log, key, operation } = call;
  try {
    const response = await call.send({ idempotencyKey: idempotencyKeyOf(key) });
    await log.succeed(key, response);
    return response;
  } catch (error) {
    const failure = classifyStripeError(error);
    if (failure.kind === "unavailable") {
      const found = await foundDespite(call);
      if (found !== undefined) return found;
    }
    if (isFinal(failure)) await log.refuse(key, failure);
    throw new StripeCallError(operation, failure, error);
  }
}

/** The same request would be answered in the same way for ever. */
function isFinal(failure: StripeFailure): boolean {
  return failure.kind === "declined" || failure.kind === "invalid_request" || failure.kind === "key_reused";
}

async function foundOrUnknown<Result>(call: RecordedCall<Result>): Promise<Result> {
  const found = await call.find();
  if (found === undefined) throw new StripeOutcomeUnknownError(call.key);
  await call.log.succeed(call.key, found);
  return found;
}

/** A look that fails as well leaves the outcome as unknown as it was. */
async function foundDespite<Result>(call: RecordedCall<Result>): Promise<Result | undefined> {
  let found: Result | undefined;
  try {
    found = await call.find();
  } catch (error) {
    classifyStripeError(error);
    return undefined;
  }
  if (found !== undefined) await call.log.succeed(call.key, found);
  return found;
}

/** Stripe's header from our key: 64 hexadecimal digits, whatever the key holds and however long it is. */
export function idempotencyKeyOf(key: string): string {
  return createHash("sha256").update(key).digest("hex");
}

function hashOf(value: unknown): string {
  return createHash("sha256").update(canonicalJson(value)).digest("hex");
}

/** JSON with the fields of every object in order, so that equal requests have equal text. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_name, inner) =>
    inner !== null && typeof inner === "object" && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

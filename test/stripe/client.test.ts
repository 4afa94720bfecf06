import { Stripe } from "stripe";
import { expect, test } from "vitest";
import { classifyStripeError, createStripe } from "../../src/stripe/index.ts";

test.each([
  { apiKey: "sk_live_1", apiBase: "http://127.0.0.1:1", code: "stripe_live_key_with_base_override" },
  { apiKey: "rk_live_1", apiBase: "https://example.com", code: "stripe_live_key_with_base_override" },
  { apiKey: "sk_test_1", apiBase: "http://example.com", code: "stripe_insecure_base" },
  { apiKey: "sk_test_1", apiBase: "http://127.example.com", code: "stripe_insecure_base" },
])("$apiKey at $apiBase is refused: $code", ({ apiKey, apiBase, code }) => {
  expect(() => createStripe({ apiKey, apiBase })).toThrow(expect.objectContaining({ code }));
});

test.each([
  { apiKey: "sk_live_1", apiBase: undefined },
  { apiKey: "sk_test_1", apiBase: undefined },
  { apiKey: "sk_test_1", apiBase: "http://localhost:12111" },
  { apiKey: "sk_test_1", apiBase: "http://[::1]:12111" },
  { apiKey: "sk_test_1", apiBase: "https://stripe.internal" },
])("$apiKey at $apiBase is taken", ({ apiKey, apiBase }) => {
  expect(createStripe({ apiKey, apiBase })).toBeInstanceOf(Stripe);
});

const { StripeAPIError, StripeCardError, StripeConnectionError, StripeInvalidRequestError } = Stripe.errors;
const raw = (fields: object) => ({ message: "m", ...fields }) as never;

test.each([
  {
    error: new StripeCardError(raw({ statusCode: 402, code: "card_declined", decline_code: "lost_card" })),
    failure: { kind: "declined", decline: { code: "lost_card", class: "hard" } },
  },
  {
    error: new StripeCardError(raw({ statusCode: 402, code: "invoice_payment_intent_requires_action" })),
    failure: {
      kind: "declined",
      decline: { code: "invoice_payment_intent_requires_action", class: "authentication" },
    },
  },
  {
    error: new StripeInvalidRequestError(raw({ statusCode: 400, type: "card_error", code: "expired_card" })),
    failure: { kind: "declined", decline: { code: "expired_card", class: "hard" } },
  },
  {
    error: new StripeAPIError(raw({ statusCode: 429 })),
    failure: { kind: "rate_limited", retryAfterMs: 5000 },
  },
  {
    error: new StripeAPIError(raw({ statusCode: 429, headers: { "retry-after": "7" } })),
    failure: { kind: "rate_limited", retryAfterMs: 7000 },
  },
  {
    error: new StripeAPIError(raw({ statusCode: 429, code: "lock_timeout" })),
    failure: { kind: "conflict" },
  },
  { error: new StripeAPIError(raw({ statusCode: 409 })), failure: { kind: "conflict" } },
  { error: new StripeAPIError(raw({ statusCode: 500 })), failure: { kind: "unavailable" } },
  { error: new StripeAPIError(raw({})), failure: { kind: "unavailable" } },
  { error: new StripeConnectionError(raw({})), failure: { kind: "unavailable" } },
  { error: new StripeInvalidRequestError(raw({ statusCode: 401 })), failure: { kind: "auth" } },
  {
    error: new StripeAPIError(raw({ statusCode: 400, type: "idempotency_error" })),
    failure: { kind: "key_reused" },
  },
  {
    error: new StripeInvalidRequestError(raw({ statusCode: 404, code: "resource_missing", param: "id" })),
    failure: { kind: "invalid_request", code: "resource_missing", param: "id", message: "m" },
  },
])("$error.statusCode $error.code is $failure.kind", ({ error, failure }) => {
  expect(classifyStripeError(error)).toEqual(failure);
});

test("what is not Stripe's is a bug and stays one", () => {
  expect(() => classifyStripeError(new TypeError("ours"))).toThrow(TypeError);
});

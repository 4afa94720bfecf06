import { apiVersion } from "../schema/endive.ts";
import type { Account } from "../state/account.ts";
import type { Accounts } from "../state/accounts.ts";
import type { FiredFault } from "./fault-rules.ts";
import { StripeRefusal } from "./refusal.ts";

/** The account a request's key opens, or nothing when there is no usable test key. */
export function accountOf(accounts: Accounts, authorization: string | undefined): Account | undefined {
  const key = apiKeyOf(authorization);
  return key !== undefined && /^(sk|rk)_test_\w+$/.test(key) ? accounts.ofKey(key) : undefined;
}

function apiKeyOf(authorization = ""): string | undefined {
  const [scheme, credentials = ""] = authorization.split(" ");
  if (scheme === "Bearer") return credentials;
  if (scheme === "Basic") return Buffer.from(credentials, "base64").toString("utf8").split(":")[0];
  return undefined;
}

/** 401, as the first thing a request can fail of. The key is shown shortened, as Stripe does. */
export function unauthorized(authorization: string | undefined): StripeRefusal {
  const key = apiKeyOf(authorization);
  const message =
    key === undefined
      ? "You did not provide an API key. Provide it in the Authorization header, using Bearer auth."
      : `Invalid API Key provided: ${key.slice(0, 8)}****. The stand-in takes test keys only: sk_test_…`;
  return new StripeRefusal(401, { type: "invalid_request_error", message }, { beforeExecution: true });
}

/** Only the version the SDK pins is here; another would need other objects. */
export function assertVersion(version: string | undefined): void {
  if (version === undefined || version === apiVersion) return;
  const message = `Invalid Stripe API version: ${version}. The stand-in speaks ${apiVersion} only.`;
  throw new StripeRefusal(400, { type: "invalid_request_error", message }, { beforeExecution: true });
}

/** Refuses where a fault says so before execution; these replies are never kept under the idempotency key. */
export function assertNoEarlyFault(fault: FiredFault | undefined): void {
  const retry = fault?.shouldRetry;
  const headers = retry === undefined ? {} : { "Stripe-Should-Retry": String(retry) };
  const handling = { beforeExecution: true, headers };
  switch (fault?.action) {
    case "rate_limit":
      throw tooManyRequests("rate_limit", "Request rate limit exceeded.", headers);
    case "lock_timeout":
      throw tooManyRequests(
        "lock_timeout",
        "This object cannot be accessed right now: another request is using it.",
        headers,
      );
    case "conflict": {
      const message = "There is currently another in-progress request using this Idempotent Key.";
      const error = { type: "idempotency_error", code: "idempotency_key_in_use", message } as const;
      throw new StripeRefusal(409, error, handling);
    }
    case "error_before":
      throw new StripeRefusal(500, { type: "api_error", message: "An unknown error occurred" }, handling);
    default:
  }
}

export function tooManyRequests(
  code: string,
  message: string,
  headers: Record<string, string> = {},
): StripeRefusal {
  return new StripeRefusal(
    429,
    { type: "invalid_request_error", code, message },
    { beforeExecution: true, headers },
  );
}

type Bucket = { readonly tokens: number; readonly refilledAtMs: number };

/** Buckets of one second's requests, refilled as time goes by: of each account, and of each of its endpoints. */
export class RateLimiter {
  readonly #buckets = new Map<string, Bucket>();

  /** Throws Stripe's 429 when the account asked for more than it may; `null` means no limit. */
  assertWithin(account: Account, operation: string, nowMs: number): void {
    const { requests_per_second: perSecond, requests_per_endpoint: perEndpoint } = account.settings();
    const isWithin =
      this.#take(account.id, perSecond, nowMs) &&
      this.#take(`${account.id} ${operation}`, perEndpoint ?? null, nowMs);
    if (!isWithin) throw tooManyRequests("rate_limit", "Request rate limit exceeded.");
  }

  #take(name: string, perSecond: number | null, nowMs: number): boolean {
    if (perSecond === null) return true;
    const bucket = this.#buckets.get(name) ?? { tokens: perSecond, refilledAtMs: nowMs };
    const refill = ((nowMs - bucket.refilledAtMs) / 1000) * perSecond;
    const tokens = Math.min(perSecond, bucket.tokens + refill);
    this.#buckets.set(name, { tokens: tokens < 1 ? tokens : tokens - 1, refilledAtMs: nowMs });
    return tokens >= 1;
  }
}

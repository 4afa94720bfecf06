import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { expandReply } from "../resources/expand.ts";
import { texts } from "../schema/access.ts";
import { apiVersion } from "../schema/endive.ts";
import { decodeJson } from "../schema/second-version.ts";
import type { Account } from "../state/account.ts";
import type { Accounts } from "../state/accounts.ts";
import { accountOf, assertNoEarlyFault, assertVersion, RateLimiter, unauthorized } from "./admission.ts";
import { apiFaultActions, type FiredFault } from "./fault-rules.ts";
import { decodeForm, FormError, type FormTree } from "./form.ts";
import { claimOf, type KeyClaim, keepReply, keptReply, keyInUse } from "./idempotency.ts";
import type { Instruments } from "./instruments.ts";
import { badParameter, StripeRefusal } from "./refusal.ts";
import { type MatchedRoute, matchRoute } from "./router.ts";
import { accountOfSession, assertSessionOpen } from "./stream-session.ts";
import { refuseUnsupported } from "./unsupported.ts";

export type ApiRequest = {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly baseUrl: string;
};

export type HttpReply = {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
};

/** What happens on the wire: a reply, a part of one, a reset connection, or nothing at all. */
export type WireEffect =
  | { readonly kind: "hang" | "reset" }
  | { readonly kind: "reply" | "truncate"; readonly reply: HttpReply };

/** Execution's result, before headers. */
type Answer = { readonly status: number; readonly body: string; readonly headers?: Record<string, string> };

/**
 * Stripe's request order: transport fault, 401, version, limiter, idempotency, schema, business rule, commit
 * with its events, response fault.
 */
export class StripeApi {
  readonly #accounts: Accounts;
  readonly #instruments: Instruments;
  readonly #limiter = new RateLimiter();
  readonly #keysInUse = new Set<string>();

  constructor(accounts: Accounts, instruments: Instruments) {
    this.#accounts = accounts;
    this.#instruments = instruments;
  }

  async handle(request: ApiRequest): Promise<WireEffect> {
    const requestId = `req_${randomBytes(7).toString("hex")}`;
    const account = callerOf(this.#accounts, request);
    const target = { method: request.method, name: request.path };
    const fault = account && this.#instruments.faults(account).fire(apiFaultActions, target, requestId);
    if (fault?.action === "reset_before") return this.#broken(account, request, requestId, "reset", fault);
    if (fault?.action === "hang_before") return this.#broken(account, request, requestId, "hang", fault);
    const reply =
      fault?.action === "html_502" ? badGateway() : await this.#answer(account, request, requestId, fault);
    this.#instruments.record(account, request, { requestId, fault: fault?.action, status: reply.status });
    switch (fault?.action) {
      case "reset_after":
        return { kind: "reset" };
      case "hang_after":
        return { kind: "hang" };
      case "truncate":
        return { kind: "truncate", reply };
      default:
        return { kind: "reply", reply };
    }
  }

  #broken(
    account: Account | undefined,
    request: ApiRequest,
    requestId: string,
    kind: "hang" | "reset",
    fault: FiredFault,
  ): WireEffect {
    this.#instruments.record(account, request, { requestId, fault: fault.action, status: 0 });
    return { kind };
  }

  async #answer(
    account: Account | undefined,
    request: ApiRequest,
    requestId: string,
    fault: FiredFault | undefined,
  ): Promise<HttpReply> {
    const key = request.method === "POST" ? header(request, "idempotency-key") : undefined;
    const headers = {
      "Content-Type": "application/json",
      "Request-Id": requestId,
      "Stripe-Version": apiVersion,
      ...(key !== undefined && { "Idempotency-Key": key }),
    };
    try {
      const answer = await this.#admit(account, request, requestId, fault, key);
      return { status: answer.status, body: answer.body, headers: { ...headers, ...answer.headers } };
    } catch (error) {
      const refusal = error instanceof StripeRefusal ? error : this.#unexpected(error);
      const body = JSON.stringify(refusal.body());
      return { status: refusal.status, body, headers: { ...headers, ...refusal.handling.headers } };
    }
  }

  #unexpected(error: unknown): StripeRefusal {
    this.#instruments.log(error instanceof Error ? (error.stack ?? error.message) : String(error));
    return new StripeRefusal(500, { type: "api_error", message: "The stand-in has a bug: see its log." });
  }

  async #admit(
    account: Account | undefined,
    request: ApiRequest,
    requestId: string,
    fault: FiredFault | undefined,
    key: string | undefined,
  ): Promise<Answer> {
    if (account === undefined) throw unauthorized(header(request, "authorization"));
    if (isStream(request)) assertSessionOpen(account, header(request, "authorization"));
    assertVersion(header(request, "stripe-version"));
    const matched = matchRoute(request.method, request.path);
    this.#limiter.assertWithin(account, matched.route.operation, Date.now());
    assertNoEarlyFault(fault);
    const form = formOf(request);
    const claim = key === undefined ? undefined : claimOf(key, request.method, request.path, form);
    const inUse = claim && `${account.id}/${claim.key}`;
    if (inUse !== undefined && this.#keysInUse.has(inUse)) throw keyInUse();
    const kept = claim && keptReply(account, claim);
    if (kept) {
      const headers = { "Idempotent-Replayed": "true", "Original-Request": kept.request_id };
      return { status: kept.status, body: kept.body, headers };
    }
    if (fault?.action === "delay_before") {
      if (inUse !== undefined) this.#keysInUse.add(inUse);
      await sleep(fault.milliseconds);
      if (inUse !== undefined) this.#keysInUse.delete(inUse);
    }
    return this.#execute({ account, matched, form, request, requestId, claim, fault });
  }

  /** From here on everything is synchronous: one request is one commit, and no other can come between. */
  #execute(work: Execution): Answer {
    const { account, claim, requestId } = work;
    const params = work.matched.read(work.form);
    refuseUnsupported(params, work.matched.route.honours);
    try {
      return this.#accounts.transact(account, (tx) => {
        const call = {
          tx,
          params,
          path: work.matched.ids,
          requestId,
          idempotencyKey: claim?.key ?? null,
          baseUrl: work.request.baseUrl,
        };
        const answer = withStoredError(
          keepingEffects(() => expandReply(tx, work.matched.route.handle(call), texts(params, "expand"))),
          work.fault,
        );
        if (claim) keepReply(tx, claim, { requestId, ...answer });
        return answer;
      });
    } catch (error) {
      if (!(error instanceof StripeRefusal) || error.handling.beforeExecution || !claim) throw error;
      // In the second version what has failed is tried anew.
      if (isSecondVersion(work.request)) throw error;
      const answer = { status: error.status, body: JSON.stringify(error.body()) };
      this.#accounts.transact(account, (tx) => keepReply(tx, claim, { requestId, ...answer }));
      return answer;
    }
  }
}

type Execution = {
  readonly account: Account;
  readonly matched: MatchedRoute;
  readonly form: FormTree;
  readonly request: ApiRequest;
  readonly requestId: string;
  readonly claim: KeyClaim | undefined;
  readonly fault: FiredFault | undefined;
};

function keepingEffects(handle: () => unknown): Answer {
  try {
    return { status: 200, body: JSON.stringify(handle()) };
  } catch (error) {
    if (error instanceof StripeRefusal && error.handling.keepsEffects) {
      return { status: error.status, body: JSON.stringify(error.body()) };
    }
    throw error;
  }
}

/** The work is done and committed, but the client is told, now and on every replay, that it failed. */
function withStoredError(answer: Answer, fault: FiredFault | undefined): Answer {
  if (fault?.action !== "error_after_stored") return answer;
  const refusal = new StripeRefusal(500, { type: "api_error", message: "An unknown error occurred" });
  const headers = fault.shouldRetry === undefined ? {} : { "Stripe-Should-Retry": String(fault.shouldRetry) };
  return { status: 500, body: JSON.stringify(refusal.body()), headers };
}

function badGateway(): HttpReply {
  const body =
    "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>";
  return { status: 502, headers: { "Content-Type": "text/html" }, body };
}

const isSecondVersion = ({ path }: ApiRequest): boolean => path.startsWith("/v2/");
const isStream = ({ path }: ApiRequest): boolean => path === "/v2/billing/meter_event_stream";

/** The stream is opened by the token of a session, everything else by an API key. */
function callerOf(accounts: Accounts, request: ApiRequest): Account | undefined {
  const authorization = header(request, "authorization");
  return isStream(request) ? accountOfSession(accounts, authorization) : accountOf(accounts, authorization);
}

function formOf(request: ApiRequest): FormTree {
  if (isSecondVersion(request) && request.method === "POST") return decodeJson(request.body);
  try {
    return decodeForm(request.method === "GET" ? request.query : request.body);
  } catch (error) {
    if (error instanceof FormError) throw badParameter(error.message, error.param);
    throw error;
  }
}

function header(request: ApiRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

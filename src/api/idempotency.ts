import { createHash } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";
import { besidesRequest } from "../db/audit.ts";
import {
  claimIdempotencyKey,
  derivedId,
  endClaim,
  forgetClaim,
  type IdempotencyKey,
  keepAnswer,
} from "../db/idempotency.ts";
import { invariant } from "../domain/errors.ts";
import type { ApiInstance } from "./api-instance.ts";
import { callerOf } from "./authentication.ts";
import type { ApiDependencies } from "./dependencies.ts";
import { RequestRefusedError } from "./refusals.ts";

/** A write under an Idempotency-Key; it has a claim from the moment it may run until it is answered. */
export interface KeyedWrite extends IdempotencyKey {
  /** As it was read: the checked body has defaults filled in, and defaults may change. */
  readonly body: unknown;
  claim?: number;
}

/**
 * A write under an Idempotency-Key is done once, and every repetition gets the first answer. The key is claimed after
 * the request was checked and before the handler runs; the answer is kept before it is sent. A handler that dies in
 * between runs again on the next repetition, so it must do nothing twice: `newId` gives it the same ids again.
 */
export function makeWritesIdempotent(api: ApiInstance, { db }: Pick<ApiDependencies, "db">): void {
  api.decorateRequest("idempotency", undefined);
  // Before the body is checked: a missing key is the first thing to say about a write.
  api.addHook("preValidation", async (request) => {
    if (!isKeyed(request.method, request.routeOptions.config)) return;
    request.idempotency = { actor: callerOf(request).actor, key: keyIn(request), body: request.body };
  });
  api.addHook("preHandler", async ({ method, url, routeOptions, idempotency }, reply) => {
    if (idempotency === undefined) return;
    const { actor, key, body } = idempotency;
    const operation = `${method} ${routeOptions.url}`;
    const requestHash = hashOf(method, url, body);
    const outcome = await claimIdempotencyKey(db.orm, { actor, key, operation, requestHash });
    if (outcome.status === "answered") return replay(reply, outcome.httpStatus, outcome.response);
    if (outcome.status !== "claimed") throw standing[outcome.status]();
    idempotency.claim = outcome.claim;
  });
  api.addHook<unknown>("onSend", async (request, reply, payload) => {
    const { idempotency: key } = request;
    if (key?.claim === undefined) return;
    const { claim } = key;
    // The claim ends here, also when keeping the answer fails and an error is sent in its place.
    delete key.claim;
    const httpStatus = reply.statusCode;
    await besidesRequest(async () => {
      if (httpStatus >= 500) await endClaim(db.orm, key, claim);
      else if (httpStatus >= 400) await forgetClaim(db.orm, key, claim);
      else await keepAnswer(db.orm, key, { claim, httpStatus, response: keptAnswer(payload, request) });
    });
  });
}

/** The id of what this request creates: the same for every repetition of it. */
export function newId(request: FastifyRequest, prefix: string): string {
  return derivedId(prefix, callerOf(request).actor, keyIn(request));
}

/** Whether a route's writes are done under an Idempotency-Key: every POST that is not repeatable as it is. */
export function isKeyed(
  method: string | readonly string[],
  config: { scope?: string; repeatable?: boolean } = {},
): boolean {
  return (
    method === "POST" && config.scope !== undefined && config.scope !== "public" && config.repeatable !== true
  );
}

function keyIn({ headers }: FastifyRequest): string {
  const key = headers["idempotency-key"];
  if (key === undefined || key === "") {
    const message =
      "send the header Idempotency-Key, a text of your choice that names this one write, and repeat it on retries";
    throw new RequestRefusedError("idempotency_key_missing", message, "Idempotency-Key");
  }
  if (typeof key !== "string" || !/^[\x21-\x7e]{1,255}$/.test(key)) {
    const message = "must be 1 to 255 visible ASCII characters, once";
    throw new RequestRefusedError("idempotency_key_invalid", message, "Idempotency-Key");
  }
  return key;
}

const standing = {
  reused: () =>
    new RequestRefusedError(
      "idempotency_key_reused",
      "this Idempotency-Key was used for another request: use a new key for a new write",
      "Idempotency-Key",
    ),
  in_progress: () =>
    new RequestRefusedError(
      "idempotency_in_progress",
      "a request with this Idempotency-Key is still being worked on: repeat it in a second",
      "Idempotency-Key",
    ),
};

/** What makes it the same request: method, path and body, whatever the order of its fields. */
function hashOf(method: string, url: string, body: unknown): Buffer {
  return createHash("sha256")
    .update(JSON.stringify([method, url, sortFields(body)]))
    .digest();
}

function sortFields(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortFields);
  if (typeof value !== "object" || value === null) return value ?? null;
  const sorted = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(sorted.map(([name, field]) => [name, sortFields(field)]));
}

function keptAnswer(payload: unknown, { routeOptions }: FastifyRequest): string {
  invariant(typeof payload === "string", "a keyed write is answered with JSON");
  const { shownOnce = [] } = routeOptions.config;
  if (shownOnce.length === 0) return payload;
  return JSON.stringify({
    ...JSON.parse(payload),
    ...Object.fromEntries(shownOnce.map((field) => [field, null])),
  });
}

function replay(reply: FastifyReply, httpStatus: number, response: string): FastifyReply {
  return reply
    .code(httpStatus)
    .header("idempotent-replayed", "true")
    .type("application/json; charset=utf-8")
    .serializer((text: unknown) => String(text))
    .send(response);
}

import { randomUUID } from "node:crypto";
import type { FastifyRequest } from "fastify";
import { type AuditedRequest, forRequest, recordAudit } from "../db/audit.ts";
import { derivedId } from "../db/idempotency.ts";
import { isoOf } from "../domain/calendar/index.ts";
import { rightsOf } from "./access/caller.ts";
import type { ApiInstance } from "./api-instance.ts";
import { callerOf } from "./authentication.ts";
import type { ApiDependencies } from "./dependencies.ts";

/** What the trail leaves to other records: usage events and reservations are facts themselves, and more than anybody reads. */
const ownRecords: ReadonlySet<string> = new Set(["usage:write", "any", "public", "read"]);

/** Whether a route's requests are in the trail: all that may change something. */
export const isAudited = (method: string, { scope = "public" }: { readonly scope?: string }): boolean =>
  !["GET", "HEAD", "OPTIONS"].includes(method) && !ownRecords.has(scope);

/**
 * Leaves one row of the audit trail for every request that changed something: by the database, in the commit of the change, or,
 * where a workflow makes the change, when it is answered. Comes after the idempotency key, so that a repetition leaves none.
 */
export function auditWrites(api: ApiInstance, { db, now }: Pick<ApiDependencies, "db" | "now">): void {
  api.decorateRequest("audited", undefined);
  api.addHook("preHandler", (request, reply, done) => {
    const { config } = request.routeOptions;
    if (reply.sent || !isAudited(request.method, config)) return done();
    request.audited = auditedRequest(request, isoOf(now()));
    forRequest(request.audited, done);
  });
  api.addHook<unknown>("onSend", async ({ audited }, reply, payload) => {
    if (audited === undefined || reply.statusCode >= 400) return;
    await recordAudit(db.orm, audited, answerIn(payload));
  });
}

function auditedRequest(request: FastifyRequest, at: string): AuditedRequest {
  const { method, routeOptions, url, body, params, idempotency } = request;
  const caller = callerOf(request);
  const { permission } = routeOptions.config;
  const { id } = (params ?? {}) as { id?: string };
  const path = url.split("?", 1)[0] ?? url;
  return {
    // The same for every repetition of a write, should the first try have died.
    id: idempotency === undefined ? `aud_${randomUUID()}` : derivedId("aud", caller.actor, idempotency.key),
    at,
    actor: caller.actor,
    rights: rightsOf(caller),
    operation: `${method} ${routeOptions.url}`,
    resource: permission?.resource ?? "any",
    verb: permission?.verb ?? "any",
    path,
    customer: customerOf(path, id, body),
    reason: reasonIn(body),
    input: withoutSecrets(body ?? null),
    request: request.id,
  };
}

/** Where the request says it; where it does not, the first row that it changes does. */
function customerOf(path: string, id: string | undefined, body: unknown): string | null {
  if (path.startsWith("/v1/customers/") && id !== undefined) return id;
  const { customer } = (body ?? {}) as { customer?: unknown };
  return typeof customer === "string" ? customer : null;
}

function reasonIn(body: unknown): string | null {
  const { reason, note, reason_code: code } = (body ?? {}) as Record<string, unknown>;
  const said = [code, reason, note].filter((text) => typeof text === "string" && text !== "");
  return said.length === 0 ? null : said.join(": ");
}

const secretFields = /secret|password|token$/;
const inputBytesMax = 20_000;

/** What is too long to be read is told by its size; a catalog or a list of corrections is in its own tables. */
function withoutSecrets(body: unknown): unknown {
  const shown = (field: string, value: unknown) => {
    if (secretFields.test(field)) return "…";
    if (typeof value === "bigint") return value.toString();
    // The database's JSON holds neither NUL nor halves of characters.
    return typeof value === "string" ? value.toWellFormed().replaceAll("\0", "\uFFFD") : value;
  };
  const text = JSON.stringify(body, shown) ?? "null";
  return text.length > inputBytesMax ? { characters: text.length } : JSON.parse(text);
}

function answerIn(payload: unknown): unknown {
  if (typeof payload !== "string" || payload.length > inputBytesMax) return null;
  try {
    return withoutSecrets(JSON.parse(payload));
  } catch {
    return null;
  }
}

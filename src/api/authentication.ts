import type { FastifyRequest } from "fastify";
import { type ApiKey, apiKeysByPrefix, type Scope } from "../db/access.ts";
import { invariant } from "../domain/errors.ts";
import type { ApiInstance } from "./api-instance.ts";
import { hasHash, isWellFormed, prefixOf } from "./api-key-secret.ts";
import type { ApiDependencies } from "./dependencies.ts";
import { RequestRefusedError } from "./refusals.ts";
import { sharedLookup } from "./shared-read.ts";

/** Who calls, as a key says. */
export interface Caller {
  readonly apiKeyId: string;
  readonly scopes: readonly Scope[];
}

/** Who somebody is in the records of what they did. */
export const actorOf = (apiKeyId: string): string => `api-key/${apiKeyId}`;

/**
 * The scopes that each scope brings with it. To agree to what others ask for is in no other scope, not in admin's either:
 * who may do that is named.
 */
const included: Readonly<Record<Scope, readonly Scope[]>> = {
  read: ["read"],
  "usage:write": ["usage:write"],
  write: ["write", "read", "usage:write"],
  operate: ["operate", "read"],
  approve: ["approve", "read"],
  admin: ["admin", "write", "read", "usage:write", "operate"],
};

/** Lets only callers with a valid key and the route's scope through, before the body is read. */
export function authenticate(api: ApiInstance, deps: Pick<ApiDependencies, "db" | "now">): void {
  api.decorateRequest("caller", undefined);
  api.addHook("onRoute", ({ method, url, config }) => {
    invariant(
      !url.startsWith("/v1/") || config?.scope !== undefined,
      `${method} ${url} says which scope it needs`,
    );
  });
  const keysByPrefix = sharedLookup((prefixes: readonly string[]) => apiKeysByPrefix(deps.db.orm, prefixes));
  api.addHook("onRequest", async (request) => {
    const { scope = "public" } = request.routeOptions.config;
    if (scope === "public") return;
    const caller = await callerBehind(request.headers.authorization, keysByPrefix, deps.now);
    request.caller = caller;
    if (!caller.scopes.some((granted) => included[granted].includes(scope))) {
      throw refused("scope_missing", `this key may not do this: it needs the scope "${scope}"`);
    }
  });
}

/** The caller of a route that is not public. */
export function callerOf(request: FastifyRequest): Caller {
  invariant(request.caller !== undefined, "a route with a scope has a caller");
  return request.caller;
}

async function callerBehind(
  authorization: string | undefined,
  keysByPrefix: (prefix: string) => Promise<readonly ApiKey[] | undefined>,
  now: ApiDependencies["now"],
) {
  const [scheme, secret, ...rest] = (authorization ?? "").trim().split(/\s+/);
  if (scheme?.toLowerCase() !== "bearer" || !secret || rest.length > 0) {
    throw refused("api_key_missing", 'send your API key as the header "Authorization: Bearer rk_…"');
  }
  const candidates = isWellFormed(secret) ? await keysByPrefix(prefixOf(secret)) : [];
  const key = candidates?.find(({ secretHash }) => hasHash(secret, secretHash));
  if (key === undefined)
    throw refused("api_key_invalid", "this API key does not exist: check that all of it was copied");
  if (key.revokedAt !== null) throw refused("api_key_revoked", "this API key was revoked: use another one");
  if (key.expiresAt !== null && key.expiresAt <= now()) {
    throw refused("api_key_expired", "this API key has expired: use another one");
  }
  return { apiKeyId: key.id, scopes: key.scopes };
}

const refused = (code: string, message: string) => new RequestRefusedError(code, message);

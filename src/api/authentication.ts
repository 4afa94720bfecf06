import type { FastifyRequest } from "fastify";
import { invariant } from "../domain/errors.ts";
import { type Caller, isAllowed } from "./access/caller.ts";
import { cookieOf } from "./access/cookies.ts";
import { keyCallers } from "./access/key-callers.ts";
import { type Permission, permissionOf, scopeOf } from "./access/permissions.ts";
import { customerBehind, isPortalSecret, requireListed, requireOwn } from "./access/portal-callers.ts";
import { personBehind, requireOwnPage, sessionCookie } from "./access/session-callers.ts";
import type { ApiInstance } from "./api-instance.ts";
import type { ApiDependencies } from "./dependencies.ts";
import { RequestRefusedError } from "./refusals.ts";

export type { Caller } from "./access/caller.ts";

/**
 * Lets only callers through whom the matrix allows what the route is for, before the body is read. This is the one place where
 * that is asked, and a route that the matrix does not know cannot be added.
 */
export function authenticate(api: ApiInstance, deps: Pick<ApiDependencies, "db" | "now" | "signIn">): void {
  api.decorateRequest("caller", undefined);
  api.addHook("onRoute", (route) => {
    const { method, url, config } = route;
    const scope = config?.scope ?? (url.startsWith("/v1/") ? undefined : "public");
    if (scope === "public" || scope === "any") return;
    route.config = { ...config, permission: permissionOf(`${method} ${url}`, url, scope) };
  });
  const callerBehind = callers(deps);
  api.addHook("onRequest", async (request) => {
    const { scope = "public", permission, keyRememberedMs = 0 } = request.routeOptions.config;
    if (scope === "public") return;
    const caller = await callerBehind(request, keyRememberedMs);
    request.caller = caller;
    if (caller.kind === "person") requireOwnPage(request, caller);
    if (caller.kind === "portal" && scope !== "any") requireListed(routeOf(request));
    if (caller.kind !== "portal" && permission !== undefined && !isAllowed(caller, permission)) {
      throw missing(caller, permission, scope);
    }
  });
  // After the body is read, which says what a customer asks for, and before defaults are filled in.
  api.addHook("preValidation", async (request) => {
    const { caller, routeOptions } = request;
    if (caller?.kind !== "portal" || routeOptions.config.scope === "any") return;
    await requireOwn(deps, caller, routeOf(request), request);
  });
}

/** As in `GET /v1/invoices/:id`. */
const routeOf = ({ method, routeOptions }: FastifyRequest): string => `${method} ${routeOptions.url}`;

/** The caller of a route that is not public. */
export function callerOf(request: FastifyRequest): Caller {
  invariant(request.caller !== undefined, "a route with a scope has a caller");
  return request.caller;
}

/** A secret in the header goes before a cookie, which a browser sends unasked. */
function callers(deps: Pick<ApiDependencies, "db" | "now" | "signIn">) {
  const keyBehind = keyCallers(deps);
  return async (request: FastifyRequest, rememberedMs: number): Promise<Caller> => {
    const { authorization } = request.headers;
    if (authorization === undefined && deps.signIn !== undefined) {
      const secret = cookieOf(request, sessionCookie, deps.signIn.isSecure);
      if (secret !== undefined) return await personBehind(deps, deps.signIn, secret);
    }
    const [scheme, secret, ...rest] = (authorization ?? "").trim().split(/\s+/);
    if (scheme?.toLowerCase() !== "bearer" || !secret || rest.length > 0) {
      throw refused("api_key_missing", 'send your API key as the header "Authorization: Bearer rk_…"');
    }
    return isPortalSecret(secret)
      ? await customerBehind(deps, secret)
      : await keyBehind(secret, { rememberedMs });
  };
}

function missing(caller: Caller, permission: Permission, scope: string): RequestRefusedError {
  return caller.kind === "api-key"
    ? refused("scope_missing", `this key may not do this: it needs the scope "${scope}"`)
    : refused("role_missing", `none of your roles may do this: it needs ${scopeOf(permission)}`);
}

const refused = (code: string, message: string) => new RequestRefusedError(code, message);

import { randomUUID } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { insertSession, keepPerson } from "../../db/sessions.ts";
import { instantOfEpochMs } from "../../domain/calendar/index.ts";
import { cookieOf, setCookie } from "../access/cookies.ts";
import { roles } from "../access/permissions.ts";
import { sessionCookie } from "../access/session-callers.ts";
import { isSame, newSecret, secretHashOf } from "../access/session-secret.ts";
import {
  type Identity,
  type SignIn,
  type SignInAttempt,
  SignInRefusedError,
} from "../access/sign-in-dependencies.ts";
import type { ApiInstance } from "../api-instance.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { RequestRefusedError } from "../refusals.ts";

type SignInDependencies = Pick<ApiDependencies, "db" | "now"> & { readonly signIn: SignIn };

const attemptCookie = "reckoner_sign_in";
const attemptSecondsMax = 600;

const attemptSchema = z.strictObject({
  state: z.string(),
  nonce: z.string(),
  codeVerifier: z.string(),
  returnTo: z.string(),
});

/** Only pages of the console: an address elsewhere would lead who has just signed in away from here. */
const isConsolePage = (path: string): boolean => /^\/console(\/[^\\]*)?$/.test(path) && !path.includes("//");

const schema = { hide: true };

/** How people sign in: pages and answers for browsers, outside of the API's document. */
export function signInRoutes(api: ApiInstance, deps: SignInDependencies): void {
  api.get("/auth/ways", { schema }, () => ({
    provider: deps.signIn.provider !== undefined,
    local: deps.signIn.localPassword !== undefined,
  }));
  byProvider(api, deps);
  byPassword(api, deps);
}

function byProvider(api: ApiInstance, deps: SignInDependencies): void {
  api.get("/auth/sign-in", { schema }, async (request, reply) => {
    const { provider, isSecure } = deps.signIn;
    if (provider === undefined) return await failed(reply, "nobody signs in by a provider here");
    const { return_to: wanted } = request.query as { return_to?: string };
    const returnTo = typeof wanted === "string" && isConsolePage(wanted) ? wanted : "/console/";
    try {
      const { url, attempt } = await provider.begin();
      const value = Buffer.from(JSON.stringify({ ...attempt, returnTo })).toString("base64url");
      // The browser comes back from the provider's page, so it has to go along from there.
      setCookie(reply, attemptCookie, value, { isSecure, sameSite: "lax", maxAgeSeconds: attemptSecondsMax });
      return await reply.redirect(url, 302);
    } catch (error) {
      return await refusedOrThrown(request, reply, error);
    }
  });
  api.get("/auth/callback", { schema }, async (request, reply) => {
    const { provider, isSecure, publicUrl } = deps.signIn;
    const attempt = attemptIn(request, isSecure);
    setCookie(reply, attemptCookie, "", { isSecure, sameSite: "lax", maxAgeSeconds: 0 });
    if (provider === undefined || attempt === undefined) {
      return await failed(reply, "this sign-in took too long, or began in another browser: try again");
    }
    try {
      const identity = await provider.finish(publicUrl + request.url, attempt);
      await openSession(deps, reply, identity);
      return await reply.redirect(attempt.returnTo, 302);
    } catch (error) {
      return await refusedOrThrown(request, reply, error);
    }
  });
}

const localInput = z.strictObject({ role: z.enum(roles), password: z.string().max(200) });

/** For development: anybody who knows the password is anybody. */
function byPassword(api: ApiInstance, deps: SignInDependencies): void {
  api.post("/auth/local", { schema: { hide: true, body: localInput } }, async (request, reply) => {
    const { localPassword } = deps.signIn;
    const { role, password } = request.body;
    if (localPassword === undefined || !isSame(password, localPassword)) {
      throw new RequestRefusedError(
        "sign_in_refused",
        "the password is not right, or there is none here",
        "password",
      );
    }
    const name = `Local ${role}`;
    await openSession(deps, reply, { issuer: "local", subject: role, name, email: null, roles: [role] });
    return { signed_in: true };
  });
}

function attemptIn(
  request: FastifyRequest,
  isSecure: boolean,
): (SignInAttempt & { readonly returnTo: string }) | undefined {
  const value = cookieOf(request, attemptCookie, isSecure);
  if (value === undefined) return undefined;
  try {
    return attemptSchema.parse(JSON.parse(Buffer.from(value, "base64url").toString()));
  } catch {
    return undefined;
  }
}

/** A new secret for every sign-in: a cookie that somebody planted before is worth nothing. */
async function openSession(
  { db, now, signIn }: SignInDependencies,
  reply: FastifyReply,
  { roles: held, ...identity }: Identity,
): Promise<void> {
  const [at, secret] = [now(), newSecret()];
  const person = await keepPerson(db.orm, {
    ...identity,
    id: `psn_${randomUUID()}`,
    roles: [...held],
    createdAt: at,
    signedInAt: at,
  });
  await insertSession(db.orm, {
    id: `ses_${randomUUID()}`,
    personId: person.id,
    secretHash: secretHashOf(secret),
    createdAt: at,
    usedAt: at,
    expiresAt: instantOfEpochMs(at + signIn.lifetimeMsMax),
  });
  const maxAgeSeconds = Math.floor(signIn.lifetimeMsMax / 1_000);
  setCookie(reply, sessionCookie, secret, { isSecure: signIn.isSecure, sameSite: "strict", maxAgeSeconds });
}

function refusedOrThrown(
  request: FastifyRequest,
  reply: FastifyReply,
  error: unknown,
): Promise<FastifyReply> {
  if (!(error instanceof SignInRefusedError)) throw error;
  request.log.warn({ err: error }, "a sign-in was refused");
  return failed(reply, error.message);
}

/** Back to the way in, which says why. */
const failed = async (reply: FastifyReply, why: string): Promise<FastifyReply> =>
  reply.redirect(`/console/?${new URLSearchParams({ sign_in_failed: why })}`, 302);

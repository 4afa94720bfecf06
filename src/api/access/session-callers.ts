import type { FastifyRequest } from "fastify";
import { sessionBehind, touchSession } from "../../db/sessions.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { RequestRefusedError } from "../refusals.ts";
import type { PersonCaller } from "./caller.ts";
import { isRole } from "./permissions.ts";
import { csrfTokenOf, isSame, secretHashOf } from "./session-secret.ts";
import type { SignIn } from "./sign-in-dependencies.ts";

export const sessionCookie = "reckoner_session";
export const csrfHeader = "x-csrf-token";

/** How exactly it is known when a session was last used. */
const usedMsMin = 60_000;

/** Finds who is behind a session's cookie. */
export async function personBehind(
  { db, now }: Pick<ApiDependencies, "db" | "now">,
  { idleMsMax }: Pick<SignIn, "idleMsMax">,
  secret: string,
): Promise<PersonCaller> {
  const found = await sessionBehind(db.orm, secretHashOf(secret));
  const at = now();
  const hasEnded =
    found === undefined ||
    found.session.endedAt !== null ||
    found.session.expiresAt <= at ||
    found.session.usedAt + idleMsMax <= at;
  if (hasEnded) throw new RequestRefusedError("session_ended", "this session has ended: sign in again");
  const { session, person } = found;
  if (at - session.usedAt >= usedMsMin) await touchSession(db.orm, session.id, at);
  return {
    kind: "person",
    id: person.id,
    actor: `person/${person.id}`,
    name: person.name,
    roles: person.roles.filter(isRole),
    sessionId: session.id,
    csrfToken: csrfTokenOf(secret),
  };
}

const safeMethods: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * A browser sends the cookie along whoever made the page; only a page of ours can read the token that has to come beside it,
 * and a browser says which page asks.
 */
export function requireOwnPage({ method, headers }: FastifyRequest, caller: PersonCaller): void {
  if (safeMethods.has(method)) return;
  const site = headers["sec-fetch-site"];
  const isOurs = site === undefined || site === "same-origin" || site === "none";
  const token = headers[csrfHeader];
  if (isOurs && typeof token === "string" && isSame(token, caller.csrfToken)) return;
  const message = "send the token of GET /v1/session as the header X-CSRF-Token, from a page of this server";
  throw new RequestRefusedError("csrf_token_invalid", message, "X-CSRF-Token");
}

import { z } from "zod";
import { endSessions } from "../../db/sessions.ts";
import { type Caller, isAllowed } from "../access/caller.ts";
import { setCookie } from "../access/cookies.ts";
import { resources, roles, scopeOf, verbs } from "../access/permissions.ts";
import { sessionCookie } from "../access/session-callers.ts";
import type { ApiInstance } from "../api-instance.ts";
import { callerOf } from "../authentication.ts";
import type { ApiDependencies } from "../dependencies.ts";

const sessionSchema = z
  .object({
    kind: z.enum(["api-key", "person", "portal"]),
    actor: z.string().describe("As it stands in records.").meta({ example: "person/psn_1" }),
    name: z.string().nullable().describe("Of a person."),
    roles: z.array(z.enum(roles)),
    customer: z.string().nullable().describe("Of a token for a customer's own pages: whose."),
    allowed: z
      .array(z.string())
      .describe("What the matrix of roles allows, as resource and verb.")
      .meta({ example: ["invoices:read"] }),
    csrf_token: z
      .string()
      .nullable()
      .describe(
        "Of a person: to be sent as `X-CSRF-Token` with every write that the session's cookie lets in.",
      ),
  })
  .meta({ id: "Session" });

const tags = ["Session"];

/** Who one is here, and the way out. */
export function sessionRoutes(api: ApiInstance, deps: ApiDependencies): void {
  api.get(
    "/v1/session",
    {
      config: { scope: "any" },
      schema: { tags, summary: "Who this request is made by", response: { 200: sessionSchema } },
    },
    (request) => sessionAnswer(callerOf(request)),
  );
  api.delete(
    "/v1/session",
    {
      config: { scope: "any" },
      schema: {
        tags,
        summary: "Sign out",
        description: "Ends the session of a person; a key or a token stays as it is.",
        response: { 200: z.object({ ended: z.boolean() }) },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      setCookie(reply, sessionCookie, "", {
        isSecure: deps.signIn?.isSecure ?? false,
        sameSite: "strict",
        maxAgeSeconds: 0,
      });
      if (caller.kind !== "person") return { ended: false };
      return { ended: (await endSessions(deps.db.orm, { sessionId: caller.sessionId }, deps.now())) > 0 };
    },
  );
}

function sessionAnswer(caller: Caller): z.infer<typeof sessionSchema> {
  const cells = resources.flatMap((resource) => verbs.map((verb) => ({ resource, verb })));
  return {
    kind: caller.kind,
    actor: caller.actor,
    name: caller.kind === "person" ? caller.name : null,
    roles: caller.kind === "person" ? [...caller.roles] : [],
    customer: caller.kind === "portal" ? caller.customerId : null,
    allowed: cells.filter((cell) => isAllowed(caller, cell)).map(scopeOf),
    csrf_token: caller.kind === "person" ? caller.csrfToken : null,
  };
}

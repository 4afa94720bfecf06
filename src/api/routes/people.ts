import { z } from "zod";
import { endSessions, findPerson, listPeople, openSessions, type Person } from "../../db/sessions.ts";
import { isoOf } from "../../domain/calendar/index.ts";
import { isRole, roles } from "../access/permissions.ts";
import type { ApiInstance } from "../api-instance.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { listAnswer, listOf, newestFirst, pageQuery, pageRequest } from "../pagination.ts";
import { found } from "../refusals.ts";
import { idParams, instantText, textInput } from "../wire.ts";

const personSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    email: z.string().nullable(),
    issuer: z.string().describe("Who says who this is: the provider's address, or `local`."),
    roles: z.array(z.enum(roles)).describe("As the provider said when they last signed in."),
    created_at: instantText,
    signed_in_at: instantText,
  })
  .meta({ id: "Person" });

const openSessionSchema = z
  .object({
    id: z.string(),
    person: z.string(),
    created_at: instantText,
    used_at: instantText.describe("To a minute."),
    expires_at: instantText,
  })
  .meta({ id: "OpenSession" });

const tags = ["People"];
const ended = z.object({ ended: z.number().int().describe("How many sessions were ended.") });
const why = z.strictObject({ reason: textInput(500) });

/** Who signs in here. Who may, and as what, is said at their provider. */
export function peopleRoutes(api: ApiInstance, { db, now }: ApiDependencies): void {
  api.get(
    "/v1/people",
    {
      config: { scope: "admin", refusals: ["cursor_invalid"] },
      schema: {
        tags,
        summary: "List people, the newest first",
        querystring: pageQuery,
        response: { 200: listOf(personSchema) },
      },
    },
    async ({ query }) =>
      listAnswer(await listPeople(db.orm, pageRequest(query, newestFirst)), newestFirst, personAnswer),
  );
  api.get(
    "/v1/people/:id/sessions",
    {
      config: { scope: "admin", refusals: ["person_not_found"] },
      schema: {
        tags,
        summary: "The open sessions of a person, the newest first",
        params: idParams,
        response: { 200: z.object({ data: z.array(openSessionSchema) }) },
      },
    },
    async ({ params: { id } }) => {
      found(await findPerson(db.orm, id), "person", id);
      const sessions = await openSessions(db.orm, id, now());
      return {
        data: sessions.map((session) => ({
          id: session.id,
          person: session.personId,
          created_at: isoOf(session.createdAt),
          used_at: isoOf(session.usedAt),
          expires_at: isoOf(session.expiresAt),
        })),
      };
    },
  );
  api.post(
    "/v1/people/:id/sign-out",
    {
      config: { scope: "admin", refusals: ["person_not_found"] },
      schema: {
        tags,
        summary: "End all sessions of a person",
        description: "Take the roles away at the provider as well: otherwise they sign in again.",
        params: idParams,
        body: why,
        response: { 200: ended },
      },
    },
    async ({ params: { id } }) => {
      found(await findPerson(db.orm, id), "person", id);
      return { ended: await endSessions(db.orm, { personId: id }, now()) };
    },
  );
  api.delete(
    "/v1/sessions/:id",
    {
      config: { scope: "admin", refusals: ["session_not_found"] },
      schema: { tags, summary: "End a session", params: idParams, response: { 200: ended } },
    },
    async ({ params: { id } }) => {
      const count = await endSessions(db.orm, { sessionId: id }, now());
      return { ended: found(count === 0 ? undefined : count, "session", id) };
    },
  );
}

const personAnswer = ({ id, name, email, issuer, ...person }: Person): z.infer<typeof personSchema> => ({
  id,
  name,
  email,
  issuer,
  roles: person.roles.filter(isRole),
  created_at: isoOf(person.createdAt),
  signed_in_at: isoOf(person.signedInAt),
});

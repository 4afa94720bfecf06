import { z } from "zod";
import { type ApiKey, findApiKey, insertApiKey, listApiKeys, revokeApiKey } from "../../db/access.ts";
import { isoOf } from "../../domain/calendar/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import { hashOf, newApiKeySecret, prefixOf } from "../api-key-secret.ts";
import { callerOf } from "../authentication.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { newId } from "../idempotency.ts";
import { listAnswer, listOf, newestFirst, pageQuery, pageRequest } from "../pagination.ts";
import { found, RequestRefusedError } from "../refusals.ts";
import { idParams, instantInput, instantText, isoOrNull, textInput } from "../wire.ts";

const scopeSchema = z.enum(["read", "write", "usage:write", "operate", "approve", "admin"]);

const apiKeySchema = z
  .object({
    id: z.string(),
    name: z.string(),
    prefix: z.string().describe("How the secret starts, to recognise it by."),
    scopes: z.array(scopeSchema),
    created_at: instantText,
    expires_at: instantText.nullable(),
    revoked_at: instantText.nullable(),
  })
  .meta({ id: "ApiKey" });

const newApiKeySchema = apiKeySchema
  .extend({
    secret: z.string().nullable().describe("Shown in the first answer only; a repetition gets null."),
  })
  .meta({ id: "NewApiKey" });

const apiKeyInput = z.strictObject({
  name: textInput(100),
  scopes: z.array(scopeSchema).min(1).max(6),
  expires_at: instantInput.optional(),
});

const tags = ["API keys"];

export function apiKeyRoutes(api: ApiInstance, deps: ApiDependencies): void {
  createApiKey(api, deps);
  listAllApiKeys(api, deps);
  getOwnApiKey(api, deps);
  api.delete(
    "/v1/api-keys/:id",
    {
      config: { scope: "admin", refusals: ["api_key_not_found"] },
      schema: {
        tags,
        summary: "Revoke a key, at once and for good",
        params: idParams,
        response: { 200: apiKeySchema },
      },
    },
    async ({ params: { id } }) => {
      return apiKeyAnswer(found(await revokeApiKey(deps.db.orm, id, deps.now()), "api_key", id));
    },
  );
}

function createApiKey(api: ApiInstance, { db, now }: ApiDependencies): void {
  api.post(
    "/v1/api-keys",
    {
      config: { scope: "admin", refusals: ["api_key_expiry_invalid"], shownOnce: ["secret"] },
      schema: { tags, summary: "Create a key", body: apiKeyInput, response: { 201: newApiKeySchema } },
    },
    async (request, reply) => {
      const { name, scopes, expires_at: expiresAt = null } = request.body;
      const createdAt = now();
      if (expiresAt !== null && expiresAt <= createdAt) {
        throw new RequestRefusedError("api_key_expiry_invalid", "must be in the future", "expires_at");
      }
      const secret = newApiKeySecret();
      const id = newId(request, "key");
      const key = {
        id,
        prefix: prefixOf(secret),
        secretHash: hashOf(secret),
        name,
        scopes,
        createdAt,
        expiresAt,
      };
      // Already there when an earlier try was cut off after this point: that secret is lost, and no second one is made.
      const isNew = await insertApiKey(db.orm, key);
      const kept = found(await findApiKey(db.orm, id), "api_key", id);
      return reply.code(201).send({ ...apiKeyAnswer(kept), secret: isNew ? secret : null });
    },
  );
}

function listAllApiKeys(api: ApiInstance, { db }: ApiDependencies): void {
  api.get(
    "/v1/api-keys",
    {
      config: { scope: "admin", refusals: ["cursor_invalid"] },
      schema: {
        tags,
        summary: "List keys, the newest first",
        querystring: pageQuery,
        response: { 200: listOf(apiKeySchema) },
      },
    },
    async ({ query }) => {
      const page = await listApiKeys(db.orm, pageRequest(query, newestFirst));
      return listAnswer(page, newestFirst, apiKeyAnswer);
    },
  );
}

/** For a program, or a person at the console, who has a secret and wants to know what it may do. */
function getOwnApiKey(api: ApiInstance, { db }: ApiDependencies): void {
  api.get(
    "/v1/api-keys/current",
    {
      config: { scope: "read" },
      schema: { tags, summary: "The key that this request is made with", response: { 200: apiKeySchema } },
    },
    async (request) => {
      const { apiKeyId } = callerOf(request);
      return apiKeyAnswer(found(await findApiKey(db.orm, apiKeyId), "api_key", apiKeyId));
    },
  );
}

function apiKeyAnswer({
  id,
  name,
  prefix,
  scopes,
  createdAt,
  expiresAt,
  revokedAt,
}: ApiKey): z.infer<typeof apiKeySchema> {
  return {
    id,
    name,
    prefix,
    scopes,
    created_at: isoOf(createdAt),
    expires_at: isoOrNull(expiresAt),
    revoked_at: isoOrNull(revokedAt),
  };
}

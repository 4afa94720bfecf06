import { z } from "zod";
import {
  type ApiKey,
  endApiKeyAt,
  findApiKey,
  insertApiKey,
  listApiKeys,
  revokeApiKey,
} from "../../db/access.ts";
import { inTransaction } from "../../db/database.ts";
import { instantOfEpochMs, isoOf } from "../../domain/calendar/index.ts";
import { isScope, verbs } from "../access/permissions.ts";
import type { ApiInstance } from "../api-instance.ts";
import { hashOf, newApiKeySecret, prefixOf } from "../api-key-secret.ts";
import { callerOf } from "../authentication.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { newId } from "../idempotency.ts";
import { listAnswer, listOf, newestFirst, pageQuery, pageRequest } from "../pagination.ts";
import { found, RequestRefusedError } from "../refusals.ts";
import { idParams, instantInput, instantText, isoOrNull, textInput } from "../wire.ts";

const scopeText = z
  .string()
  .describe(
    "A verb (`read`, `write`, `operate`, `approve`, `admin`) for everything, or `RESOURCE:VERB`, as in `usage:write`.",
  );
const scopeInput = scopeText.refine(isScope, {
  error: `must be one of ${verbs.join(", ")}, or a resource and one of them, as in usage:write`,
});

const apiKeySchema = z
  .object({
    id: z.string(),
    name: z.string(),
    prefix: z.string().describe("How the secret starts, to recognise it by."),
    scopes: z.array(scopeText),
    created_at: instantText,
    expires_at: instantText.nullable(),
    revoked_at: instantText.nullable(),
    created_by: z
      .string()
      .nullable()
      .describe("Null for the key of the configuration.")
      .meta({ example: "person/psn_1" }),
    replaces: z.string().nullable().describe("The key that this one takes the place of."),
    last_used_at: instantText.nullable().describe("To a minute; null: never."),
  })
  .meta({ id: "ApiKey" });

const newApiKeySchema = apiKeySchema
  .extend({
    secret: z.string().nullable().describe("Shown in the first answer only; a repetition gets null."),
  })
  .meta({ id: "NewApiKey" });

const apiKeyInput = z.strictObject({
  name: textInput(100),
  scopes: z.array(scopeInput).min(1).max(50),
  expires_at: instantInput.optional(),
});

const tags = ["API keys"];

export function apiKeyRoutes(api: ApiInstance, deps: ApiDependencies): void {
  createApiKey(api, deps);
  listAllApiKeys(api, deps);
  getOwnApiKey(api, deps);
  rotateApiKey(api, deps);
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
        ...keyOf(secret),
        id,
        name,
        scopes,
        createdAt,
        expiresAt,
        createdBy: callerOf(request).actor,
      };
      // Already there when an earlier try was cut off after this point: that secret is lost, and no second one is made.
      const isNew = await insertApiKey(db.orm, key);
      const kept = found(await findApiKey(db.orm, id), "api_key", id);
      return reply.code(201).send({ ...apiKeyAnswer(kept), secret: isNew ? secret : null });
    },
  );
}

/** What is kept of a secret. */
const keyOf = (secret: string) => ({ prefix: prefixOf(secret), secretHash: hashOf(secret) });

function rotateApiKey(api: ApiInstance, { db, now }: ApiDependencies): void {
  api.post(
    "/v1/api-keys/:id/rotate",
    {
      config: { scope: "admin", refusals: ["api_key_not_found", "api_key_ended"], shownOnce: ["secret"] },
      schema: {
        tags,
        summary: "Replace a key by a new one with the same rights",
        description:
          "Both work until the old one ends, so that whoever uses it can be told the new secret in the meantime.",
        params: idParams,
        body: z.strictObject({
          overlap_seconds: z
            .number()
            .int()
            .min(60)
            .max(30 * 86_400)
            .default(86_400)
            .describe("For how long the old key still works."),
          expires_at: instantInput.optional().describe("When the new key ends; never, when left out."),
        }),
        response: { 201: newApiKeySchema },
      },
    },
    async (request, reply) => {
      const { overlap_seconds: overlap, expires_at: expiresAt = null } = request.body;
      const [id, old, createdAt] = [newId(request, "key"), request.params.id, now()];
      const secret = newApiKeySecret();
      const isNew = await inTransaction(db, async (tx) => {
        const { name, scopes, revokedAt, expiresAt: ends } = found(await findApiKey(tx, old), "api_key", old);
        if (revokedAt !== null || (ends !== null && ends <= createdAt)) {
          throw new RequestRefusedError("api_key_ended", "this key works no more: create a new one");
        }
        const key = {
          ...keyOf(secret),
          id,
          name,
          scopes,
          createdAt,
          expiresAt,
          createdBy: callerOf(request).actor,
        };
        const inserted = await insertApiKey(tx, { ...key, replaces: old });
        if (inserted) await endApiKeyAt(tx, old, instantOfEpochMs(createdAt + overlap * 1_000));
        return inserted;
      });
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
      config: { scope: "read", refusals: ["api_key_not_found"] },
      schema: { tags, summary: "The key that this request is made with", response: { 200: apiKeySchema } },
    },
    async (request) => {
      const caller = callerOf(request);
      const key = caller.kind === "api-key" ? await findApiKey(db.orm, caller.id) : undefined;
      return apiKeyAnswer(found(key, "api_key", "current"));
    },
  );
}

function apiKeyAnswer(key: ApiKey): z.infer<typeof apiKeySchema> {
  return {
    id: key.id,
    name: key.name,
    prefix: key.prefix,
    scopes: key.scopes,
    created_at: isoOf(key.createdAt),
    expires_at: isoOrNull(key.expiresAt),
    revoked_at: isoOrNull(key.revokedAt),
    created_by: key.createdBy,
    replaces: key.replaces,
    last_used_at: isoOrNull(key.lastUsedAt),
  };
}

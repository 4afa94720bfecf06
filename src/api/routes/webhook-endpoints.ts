import { z } from "zod";
import { inTransaction } from "../../db/database.ts";
import { addSecret, newSigningSecret } from "../../db/notices/endpoint-secrets.ts";
import {
  changeEndpoint,
  deleteEndpoint,
  findEndpoint,
  insertEndpoint,
  listEndpoints,
} from "../../db/notices/endpoints.ts";
import { instantOfEpochMs } from "../../domain/calendar/index.ts";
import { requireEndpointUrl } from "../../domain/notices/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { newId } from "../idempotency.ts";
import { listAnswer, listOf, newestFirst, pageQuery, pageRequest } from "../pagination.ts";
import { found, RequestRefusedError } from "../refusals.ts";
import { idParams, textInput } from "../wire.ts";
import { endpointAnswer, endpointSchema, noticeKindSchema } from "./webhook-endpoint-schemas.ts";

const kinds = z.array(noticeKindSchema).min(1).max(50);

const endpointInput = z.strictObject({
  url: textInput(2_000).describe("With https://; an address of the public Internet."),
  description: textInput(200).optional(),
  kinds: kinds.optional().describe("What it gets; everything when left out."),
});

const endpointChange = z.strictObject({
  url: textInput(2_000).optional(),
  description: textInput(200).nullable().optional(),
  kinds: kinds.nullable().optional().describe("Null: everything."),
  enabled: z.boolean().optional().describe("What was not sent meanwhile can be replayed."),
});

const secretSchema = z
  .string()
  .nullable()
  .describe("Shown in the first answer only; a repetition gets null.");

export const webhookEndpointTags = ["Webhook endpoints"];
const tags = webhookEndpointTags;

const answered = { 200: endpointSchema };

/** Where notices are sent to: kept with their signing secrets, which are shown once. */
export function webhookEndpointRoutes(api: ApiInstance, deps: ApiDependencies): void {
  const { db } = deps;
  createEndpoint(api, deps);
  changeEndpointRoute(api, deps);
  rotateSecret(api, deps);
  api.get(
    "/v1/webhook-endpoints",
    {
      config: { scope: "read", refusals: ["cursor_invalid"] },
      schema: {
        tags,
        summary: "List endpoints, the newest first",
        querystring: pageQuery,
        response: { 200: listOf(endpointSchema) },
      },
    },
    async ({ query }) =>
      listAnswer(await listEndpoints(db.orm, pageRequest(query, newestFirst)), newestFirst, endpointAnswer),
  );
  api.get(
    "/v1/webhook-endpoints/:id",
    {
      config: { scope: "read", refusals: ["webhook_endpoint_not_found"] },
      schema: { tags, summary: "An endpoint", params: idParams, response: answered },
    },
    async ({ params: { id } }) =>
      endpointAnswer(found(await findEndpoint(db.orm, id), "webhook_endpoint", id)),
  );
  api.delete(
    "/v1/webhook-endpoints/:id",
    {
      config: { scope: "admin", refusals: ["webhook_endpoint_not_found"] },
      schema: { tags, summary: "Delete an endpoint, for good", params: idParams, response: answered },
    },
    async ({ params: { id } }) =>
      endpointAnswer(found(await deleteEndpoint(db.orm, id), "webhook_endpoint", id)),
  );
}

function createEndpoint(api: ApiInstance, { db, now, webhookEndpoints }: ApiDependencies): void {
  api.post(
    "/v1/webhook-endpoints",
    {
      config: {
        scope: "admin",
        refusals: ["webhook_endpoint_url_refused", "webhook_endpoints_unavailable"],
        shownOnce: ["secret"],
      },
      schema: {
        tags,
        summary: "Create an endpoint",
        description:
          "It gets what happens from then on. Verify what comes with the secret (docs/notices.md).",
        body: endpointInput,
        response: { 201: endpointSchema.extend({ secret: secretSchema }).meta({ id: "NewWebhookEndpoint" }) },
      },
    },
    async (request, reply) => {
      const { sealingKeys } = requireKeys(webhookEndpoints);
      const { url, description = null, kinds: wanted = null } = request.body;
      requireEndpointUrl(url, webhookEndpoints);
      const id = newId(request, "we");
      const createdAt = now();
      const secret = newSigningSecret();
      const isNew = await inTransaction(db, async (tx) => {
        const row = { id, url, description, kinds: wanted, createdAt };
        if (!(await insertEndpoint(tx, row))) return false;
        await addSecret(tx, sealingKeys, { endpointId: id, text: secret, at: createdAt }, createdAt);
        return true;
      });
      const kept = found(await findEndpoint(db.orm, id), "webhook_endpoint", id);
      return reply.code(201).send({ ...endpointAnswer(kept), secret: isNew ? secret : null });
    },
  );
}

function changeEndpointRoute(api: ApiInstance, { db, webhookEndpoints }: ApiDependencies): void {
  api.patch(
    "/v1/webhook-endpoints/:id",
    {
      config: { scope: "admin", refusals: ["webhook_endpoint_not_found", "webhook_endpoint_url_refused"] },
      schema: {
        tags,
        summary: "Change an endpoint, disable or enable it",
        params: idParams,
        body: endpointChange,
        response: answered,
      },
    },
    async ({ params: { id }, body: { url, description, kinds: wanted, enabled } }) => {
      if (url !== undefined) requireEndpointUrl(url, webhookEndpoints);
      const change = {
        ...(url === undefined ? {} : { url }),
        ...(description === undefined ? {} : { description }),
        ...(wanted === undefined ? {} : { kinds: wanted }),
        ...(enabled === undefined ? {} : { enabled }),
      };
      return endpointAnswer(found(await changeEndpoint(db.orm, id, change), "webhook_endpoint", id));
    },
  );
}

const overlapHoursMax = 7 * 24;

function rotateSecret(api: ApiInstance, { db, now, webhookEndpoints }: ApiDependencies): void {
  api.post(
    "/v1/webhook-endpoints/:id/rotate-secret",
    {
      config: {
        scope: "admin",
        refusals: ["webhook_endpoint_not_found", "webhook_endpoints_unavailable"],
        shownOnce: ["secret"],
      },
      schema: {
        tags,
        summary: "Replace an endpoint's signing secret",
        description: "Until the overlap is over, everything is signed with the old and the new secret.",
        params: idParams,
        body: z.strictObject({
          overlap_hours: z
            .int()
            .min(0)
            .max(overlapHoursMax)
            .default(24)
            .describe("0: the old one is known to others."),
        }),
        response: { 200: z.object({ secret: secretSchema }).meta({ id: "RotatedSecret" }) },
      },
    },
    async ({ params: { id }, body: { overlap_hours: hours } }) => {
      const { sealingKeys } = requireKeys(webhookEndpoints);
      found(await findEndpoint(db.orm, id), "webhook_endpoint", id);
      const at = now();
      const secret = newSigningSecret();
      const until = instantOfEpochMs(at + hours * 3_600_000);
      await inTransaction(db, (tx) =>
        addSecret(tx, sealingKeys, { endpointId: id, text: secret, at }, until),
      );
      return { secret };
    },
  );
}

function requireKeys(config: ApiDependencies["webhookEndpoints"]): ApiDependencies["webhookEndpoints"] {
  if (config.sealingKeys.length > 0) return config;
  const message = "this deployment has no key to keep signing secrets with: set WEBHOOK_SECRET_KEYS";
  throw new RequestRefusedError("webhook_endpoints_unavailable", message);
}

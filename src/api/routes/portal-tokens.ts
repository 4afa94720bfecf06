import { z } from "zod";
import { findCustomer } from "../../db/billing/customers.ts";
import {
  findPortalToken,
  insertPortalToken,
  type PortalToken,
  revokePortalToken,
} from "../../db/portal-tokens.ts";
import { instantOfEpochMs, isoOf } from "../../domain/calendar/index.ts";
import { newPortalSecret } from "../access/portal-callers.ts";
import { secretHashOf } from "../access/session-secret.ts";
import type { ApiInstance } from "../api-instance.ts";
import { callerOf } from "../authentication.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { newId } from "../idempotency.ts";
import { found } from "../refusals.ts";
import { idParams, instantText, isoOrNull } from "../wire.ts";

const portalTokenSchema = z
  .object({
    id: z.string(),
    customer: z.string(),
    created_by: z.string().meta({ example: "api-key/key_1" }),
    created_at: instantText,
    expires_at: instantText,
    revoked_at: instantText.nullable(),
  })
  .meta({ id: "PortalToken" });

const newPortalTokenSchema = portalTokenSchema
  .extend({
    secret: z.string().nullable().describe("Shown in the first answer only; a repetition gets null."),
  })
  .meta({ id: "NewPortalToken" });

const tags = ["Portal"];

/** Tokens with which a customer's browser reads what is theirs, and makes the few changes that are theirs to make. */
export function portalTokenRoutes(api: ApiInstance, { db, now }: ApiDependencies): void {
  api.post(
    "/v1/customers/:id/portal-tokens",
    {
      config: { scope: "write", refusals: ["customer_not_found"], shownOnce: ["secret"] },
      schema: {
        tags,
        summary: "Let a customer into their own pages for a short time",
        params: idParams,
        body: z.strictObject({
          expires_in_seconds: z.number().int().min(60).max(86_400).default(3_600),
        }),
        response: { 201: newPortalTokenSchema },
      },
    },
    async (request, reply) => {
      const [id, customerId, createdAt] = [newId(request, "ptk"), request.params.id, now()];
      found(await findCustomer(db.orm, customerId), "customer", customerId);
      const secret = newPortalSecret();
      const isNew = await insertPortalToken(db.orm, {
        id,
        customerId,
        secretHash: secretHashOf(secret),
        createdBy: callerOf(request).actor,
        createdAt,
        expiresAt: instantOfEpochMs(createdAt + request.body.expires_in_seconds * 1_000),
      });
      const kept = found(await findPortalToken(db.orm, id), "portal_token", id);
      return reply.code(201).send({ ...portalTokenAnswer(kept), secret: isNew ? secret : null });
    },
  );
  api.delete(
    "/v1/portal-tokens/:id",
    {
      config: { scope: "write", refusals: ["portal_token_not_found"] },
      schema: {
        tags,
        summary: "Revoke a token, at once and for good",
        params: idParams,
        response: { 200: portalTokenSchema },
      },
    },
    async ({ params: { id } }) =>
      portalTokenAnswer(found(await revokePortalToken(db.orm, id, now()), "portal_token", id)),
  );
}

const portalTokenAnswer = (token: PortalToken): z.infer<typeof portalTokenSchema> => ({
  id: token.id,
  customer: token.customerId,
  created_by: token.createdBy,
  created_at: isoOf(token.createdAt),
  expires_at: isoOf(token.expiresAt),
  revoked_at: isoOrNull(token.revokedAt),
});

import { z } from "zod";
import { latestFeatures } from "../../db/billing/catalog.ts";
import { findCustomer } from "../../db/billing/customers.ts";
import type { Tx } from "../../db/database.ts";
import {
  endFeatureGrant,
  findFeatureGrant,
  insertFeatureGrant,
  listFeatureGrants,
  type StoredFeatureGrant,
} from "../../db/entitlements/feature-grants.ts";
import { newestVersions, publishedMeters } from "../../db/usage/meters-in-force.ts";
import { reasonCodes } from "../../domain/adjustments/index.ts";
import { type Instant, isoOf } from "../../domain/calendar/index.ts";
import { CatalogInvalidError, type Entitlement, parseEntitlement } from "../../domain/catalog/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import { callerOf } from "../authentication.ts";
import { timeOfCustomer } from "../customer-time.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { camelCase, renameFields, snakeCase } from "../field-names.ts";
import { newId } from "../idempotency.ts";
import { listAnswer, listOf, newestFirst, pageQuery, pageRequest } from "../pagination.ts";
import { found, RequestRefusedError } from "../refusals.ts";
import { idParams, instantInput, instantText, isoOrNull, textInput } from "../wire.ts";
import { otherIsExplained, reasonFields } from "./adjustment-schemas.ts";
import { namedByCaller, toWire } from "./catalog.ts";
import { actorText } from "./decisions-wire.ts";
import { entitlementFields, entitlementSchema } from "./feature-schemas.ts";
import { key } from "./price-schemas.ts";

type GrantDependencies = Pick<ApiDependencies, "db" | "now">;

const grantInput = z
  .strictObject({
    feature: key,
    ...entitlementFields,
    kind: z
      .enum(["grant", "contract"])
      .default("grant")
      .describe(
        "A grant comes on top of what plans and add-ons give; a contract stands in their place. Of several contracts the newest counts.",
      ),
    effective_at: instantInput.optional().describe("At once, when left out."),
    expires_at: instantInput.optional().describe("Never, when left out."),
    ...reasonFields,
  })
  .superRefine(otherIsExplained);

const grantSchema = z
  .object({
    id: z.string(),
    customer: z.string(),
    kind: z.enum(["grant", "contract"]),
    entitlement: entitlementSchema,
    status: z.enum(["scheduled", "active", "expired", "ended"]),
    effective_at: instantText,
    expires_at: instantText.nullable(),
    reason_code: z.enum(reasonCodes),
    reason: z.string().nullable(),
    granted_by: actorText,
    granted_at: instantText,
    end: z
      .object({ ended_by: actorText, ended_at: instantText, reason: z.string().nullable() })
      .nullable()
      .describe("Who ended it before its time."),
  })
  .meta({ id: "FeatureGrant" });

const tags = ["Entitlements"];

/** What one customer is given of features, beside plans: by whom, why, and until when. */
export function featureGrantRoutes(api: ApiInstance, deps: GrantDependencies): void {
  createGrant(api, deps);
  listGrants(api, deps);
  endGrant(api, deps);
}

function createGrant(api: ApiInstance, deps: GrantDependencies): void {
  api.post(
    "/v1/customers/:id/feature-grants",
    {
      config: {
        scope: "write",
        refusals: [
          "customer_not_found",
          "entitlement_invalid",
          "feature_grant_effective_invalid",
          "feature_grant_expiry_invalid",
        ],
      },
      schema: {
        tags,
        summary: "Give a customer more of a feature, or something else than the plan does",
        description:
          "What it gives is said as a plan says it. It is never changed: end it, and give something else.",
        params: idParams,
        body: grantInput,
        response: { 201: grantSchema },
      },
    },
    async (request, reply) => {
      const { id: customerId } = request.params;
      const { kind, effective_at, expires_at, reason_code, reason, ...given } = request.body;
      const { orm } = deps.db;
      found(await findCustomer(orm, customerId), "customer", customerId);
      const now = await timeOfCustomer(deps, customerId);
      requireTimes(effective_at, expires_at, now);
      const entitlement = await entitlementOf(orm, given);
      const id = newId(request, "fg");
      await insertFeatureGrant(orm, {
        ...{ id, customerId, kind, entitlement, feature: entitlement.feature },
        ...{ effectiveAt: effective_at ?? now, expiresAt: expires_at ?? null },
        ...{ reasonCode: reason_code, reason: reason ?? null },
        grantedBy: callerOf(request).actor,
        grantedAt: now,
      });
      return reply.code(201).send(await answerFor(id, deps));
    },
  );
}

/** @throws RequestRefusedError unless it takes effect from now on, and ends after that */
function requireTimes(effectiveAt: Instant | undefined, expiresAt: Instant | undefined, now: Instant): void {
  if (effectiveAt !== undefined && effectiveAt < now) {
    const message = "must not be in the customer's past";
    throw new RequestRefusedError("feature_grant_effective_invalid", message, "effective_at");
  }
  if (expiresAt !== undefined && expiresAt <= (effectiveAt ?? now)) {
    const message = "must be in the customer's future, and after it takes effect";
    throw new RequestRefusedError("feature_grant_expiry_invalid", message, "expires_at");
  }
}

/** @throws RequestRefusedError `entitlement_invalid` with the first place at fault as its field */
async function entitlementOf(tx: Tx, given: object): Promise<Entitlement> {
  const [features, meters] = await Promise.all([latestFeatures(tx), publishedMeters(tx)]);
  try {
    return parseEntitlement(renameFields(given, camelCase, namedByCaller), {
      features: new Map(features.map((feature) => [feature.key, feature])),
      meters: new Map(newestVersions(meters).map((meter) => [meter.key, meter])),
    });
  } catch (error) {
    if (!(error instanceof CatalogInvalidError)) throw error;
    const faults = error.issues.map(({ path, message }) => ({ field: snakeCase(path), detail: message }));
    const all = faults.map(({ field, detail }) => `${field}: ${detail}`).join("; ");
    throw new RequestRefusedError("entitlement_invalid", all, faults[0]?.field, faults);
  }
}

function listGrants(api: ApiInstance, deps: GrantDependencies): void {
  api.get(
    "/v1/customers/:id/feature-grants",
    {
      config: { scope: "read", refusals: ["customer_not_found", "cursor_invalid"] },
      schema: {
        tags,
        summary: "List what a customer was given of features, the newest first",
        params: idParams,
        querystring: pageQuery,
        response: { 200: listOf(grantSchema) },
      },
    },
    async ({ params: { id }, query }) => {
      found(await findCustomer(deps.db.orm, id), "customer", id);
      const page = await listFeatureGrants(deps.db.orm, id, pageRequest(query, newestFirst));
      const now = await timeOfCustomer(deps, id);
      return listAnswer(page, newestFirst, (grant) => grantAnswer(grant, now));
    },
  );
}

function endGrant(api: ApiInstance, deps: GrantDependencies): void {
  api.post(
    "/v1/feature-grants/:id/end",
    {
      config: { scope: "write", refusals: ["feature_grant_not_found", "feature_grant_ended"] },
      schema: {
        tags,
        summary: "End a grant of a feature before its time",
        description: "It gives nothing from now on. What was used by it stays used.",
        params: idParams,
        body: z.strictObject({ reason: textInput(500).optional() }),
        response: { 200: grantSchema },
      },
    },
    async (request) => {
      const { id } = request.params;
      const grant = found(await findFeatureGrant(deps.db.orm, id), "feature_grant", id);
      const endedAt = await timeOfCustomer(deps, grant.customerId);
      const endedBy = callerOf(request).actor;
      const { reason = null } = request.body;
      const isRepeated = grant.end?.endedBy === endedBy && grant.end.reason === reason;
      if (isRepeated) return grantAnswer(grant, endedAt);
      if (grant.end !== null || (grant.expiresAt !== null && grant.expiresAt <= endedAt)) {
        throw new RequestRefusedError("feature_grant_ended", `feature grant "${id}" is over already`);
      }
      await endFeatureGrant(deps.db.orm, { grantId: id, endedAt, endedBy, reason });
      return await answerFor(id, deps);
    },
  );
}

async function answerFor(id: string, deps: GrantDependencies): Promise<z.infer<typeof grantSchema>> {
  const grant = found(await findFeatureGrant(deps.db.orm, id), "feature_grant", id);
  return grantAnswer(grant, await timeOfCustomer(deps, grant.customerId));
}

function grantAnswer(grant: StoredFeatureGrant, now: Instant): z.infer<typeof grantSchema> {
  const { id, customerId, kind, entitlement, effectiveAt, expiresAt, grantedAt, end } = grant;
  return {
    id,
    customer: customerId,
    kind,
    entitlement: entitlementSchema.parse(toWire(entitlement)),
    status: statusAt(grant, now),
    effective_at: isoOf(effectiveAt),
    expires_at: isoOrNull(expiresAt),
    reason_code: grant.reasonCode,
    reason: grant.reason,
    granted_by: grant.grantedBy,
    granted_at: isoOf(grantedAt),
    end: end && { ended_by: end.endedBy, ended_at: isoOf(end.endedAt), reason: end.reason },
  };
}

function statusAt({ effectiveAt, expiresAt, end }: StoredFeatureGrant, now: Instant) {
  if (end !== null && end.endedAt <= now) return "ended";
  if (expiresAt !== null && expiresAt <= now) return "expired";
  return effectiveAt > now ? "scheduled" : "active";
}

import { z } from "zod";
import { findCustomer } from "../../db/billing/customers.ts";
import {
  findCutOff,
  insertCutOff,
  listCutOffs,
  type StoredCutOff,
} from "../../db/entitlements/edge-cut-offs.ts";
import { isoOf } from "../../domain/calendar/index.ts";
import { decimal } from "../../domain/money/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import { callerOf } from "../authentication.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { listAnswer, listOf, newestFirst, pageQuery, pageRequest } from "../pagination.ts";
import { found, RequestRefusedError } from "../refusals.ts";
import { decimalText, idInput, idParams, instantInput, instantText, textInput } from "../wire.ts";
import { actorText } from "./decisions-wire.ts";

type CutOffDependencies = Pick<ApiDependencies, "db" | "now">;

const policies = ["allowed", "denied", "allowed_up_to", "unknown"] as const;
const count = z.int().min(0);
const featuresMax = 500;

const featureInput = z.strictObject({
  feature: textInput(64),
  policy: z.enum(policies).describe("By which it was decided; `unknown` before the first snapshot."),
  allowed: count.describe("How many requests were let through."),
  quantity: z
    .string()
    .regex(/^\d{1,24}(\.\d{1,12})?$/, { error: 'must be a quantity as a text, zero or more, such as "12.5"' })
    .describe("What they asked for together, in the meter's unit."),
  denied: count,
});

const cutOffInput = z.strictObject({
  id: idInput.describe("Made by who was cut off, and written on the usage events that were let through."),
  began_at: instantInput,
  ended_at: instantInput,
  position: z
    .string()
    .regex(/^\d{1,20}$/)
    .nullable()
    .describe("Of the snapshot that was held."),
  features: z.array(featureInput).min(1).max(featuresMax),
});

const cutOffSchema = z
  .object({
    id: z.string(),
    customer: z.string(),
    began_at: instantText,
    ended_at: instantText,
    position: z.string().nullable(),
    features: z.array(
      z.object({
        feature: z.string(),
        policy: z.enum(policies),
        allowed: z.int(),
        quantity: decimalText,
        denied: z.int(),
      }),
    ),
    events_reported: z
      .int()
      .describe(
        "Usage events that were accepted with its mark (`let_through`), as far as they are not archived.",
      ),
    reported_by: actorText,
    reported_at: instantText,
  })
  .meta({ id: "EdgeCutOff" });

const tags = ["Entitlements"];

/** What was let through where the product runs, while it could not be asked whether it may. */
export function edgeCutOffRoutes(api: ApiInstance, deps: CutOffDependencies): void {
  reportCutOff(api, deps);
  getCutOffs(api, deps);
}

function reportCutOff(api: ApiInstance, { db, now }: CutOffDependencies): void {
  api.post(
    "/v1/customers/:id/edge-cut-offs",
    {
      config: {
        scope: "usage:write",
        repeatable: true,
        refusals: ["customer_not_found", "edge_cut_off_invalid", "edge_cut_off_id_used"],
      },
      schema: {
        tags,
        summary: "Say what was let through while nothing could be heard",
        description:
          "The usage itself is reported as ever, with `let_through` in its data. The same id again is the same cut-off: the first stands.",
        params: idParams,
        body: cutOffInput,
        response: { 200: cutOffSchema },
      },
    },
    async (request) => {
      const { id: customerId } = request.params;
      const { id, began_at: beganAt, ended_at: endedAt, position, features } = request.body;
      found(await findCustomer(db.orm, customerId), "customer", customerId);
      if (endedAt < beganAt || new Set(features.map(({ feature }) => feature)).size < features.length) {
        const message = "must end after it began, and name each feature once";
        throw new RequestRefusedError("edge_cut_off_invalid", message, "ended_at");
      }
      const row = { id, customerId, beganAt, endedAt, heldPosition: position };
      const reported = { reportedBy: callerOf(request).actor, reportedAt: now() };
      await insertCutOff(db, { ...row, ...reported }, features);
      const kept = found(await findCutOff(db.orm, id), "edge_cut_off", id);
      if (kept.customerId !== customerId) {
        throw new RequestRefusedError(
          "edge_cut_off_id_used",
          "another customer has a cut-off of this id",
          "id",
        );
      }
      return cutOffAnswer(kept);
    },
  );
}

function getCutOffs(api: ApiInstance, { db }: CutOffDependencies): void {
  api.get(
    "/v1/customers/:id/edge-cut-offs",
    {
      config: { scope: "read", refusals: ["customer_not_found", "cursor_invalid"] },
      schema: {
        tags,
        summary: "List when the product was cut off, and what it let through, the last first",
        params: idParams,
        querystring: pageQuery,
        response: { 200: listOf(cutOffSchema) },
      },
    },
    async ({ params: { id }, query }) => {
      found(await findCustomer(db.orm, id), "customer", id);
      const page = await listCutOffs(db.orm, id, pageRequest(query, newestFirst));
      return listAnswer(page, newestFirst, cutOffAnswer);
    },
  );
}

function cutOffAnswer(row: StoredCutOff): z.infer<typeof cutOffSchema> {
  const { id, customerId, beganAt, endedAt, heldPosition, features, eventsReported } = row;
  return {
    id,
    customer: customerId,
    began_at: isoOf(beganAt),
    ended_at: isoOf(endedAt),
    position: heldPosition,
    features: features.map(({ feature, policy, allowed, quantity, denied }) => {
      return { feature, policy, allowed, quantity: decimal(quantity).text, denied };
    }),
    events_reported: eventsReported,
    reported_by: row.reportedBy,
    reported_at: isoOf(row.reportedAt),
  };
}

import { z } from "zod";
import {
  type BackfillCounts,
  backfillCounts,
  closeBackfill,
  findBackfill,
  listBackfills,
  openBackfill,
  type StoredBackfill,
} from "../../db/usage/backfills.ts";
import { findCorrection } from "../../db/usage/correction-reads.ts";
import { isoOf } from "../../domain/calendar/index.ts";
import { backfillAfter, backfillStates } from "../../domain/corrections/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import { callerOf } from "../authentication.ts";
import { revertBackfill } from "../commands/usage-correction-commands.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { newId } from "../idempotency.ts";
import { contextOf } from "../observation.ts";
import { listAnswer, listOf, newestFirst, pageQuery, pageRequest } from "../pagination.ts";
import { found } from "../refusals.ts";
import { idInput, idParams, instantText, isoOrNull, textInput } from "../wire.ts";
import {
  correctionAnswer,
  correctionReasonFields,
  otherHasNote,
  usageCorrectionSchema,
} from "./usage-correction-schemas.ts";
import { httpStatusOf } from "./usage-corrections.ts";

const tags = ["Usage backfills"];

const backfillSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    reason: z.string(),
    state: z
      .enum(backfillStates)
      .describe("`open`: takes events. `closed`: takes no more. `reverted`: all its events are voided."),
    opened_by: z.string(),
    opened_at: instantText,
    closed_by: z.string().nullable(),
    closed_at: instantText.nullable(),
    revert: z.string().nullable().describe("The correction that takes it back, or waits for approval to."),
  })
  .meta({ id: "UsageBackfill" });

const countedSchema = backfillSchema
  .extend({
    events: z.object({
      accepted: z.number().int(),
      voided: z.number().int().describe("Of those: with the backfill, or one by one."),
      customers: z.number().int(),
    }),
  })
  .meta({ id: "UsageBackfillDetail" });

const openInput = z.strictObject({ name: textInput(200), reason: textInput(500) });
const revertInput = z.strictObject(correctionReasonFields).superRefine(otherHasNote);
const backfillsQuery = pageQuery.extend({
  state: z.enum(backfillStates).optional(),
  customer: idInput.optional().describe("Of whose events at least one is in it."),
});

/** Usage that is reported afterwards under one name, which can be closed, and taken back as a whole. */
export function usageBackfillRoutes(api: ApiInstance, deps: ApiDependencies): void {
  open(api, deps);
  list(api, deps);
  get(api, deps);
  close(api, deps);
  revert(api, deps);
}

function open(api: ApiInstance, { db, now }: ApiDependencies): void {
  api.post(
    "/v1/usage/backfills",
    {
      config: { scope: "write" },
      schema: {
        tags,
        summary: "Open a backfill",
        description: "Then send its events with `POST /v1/events?backfill={id}`.",
        body: openInput,
        response: { 201: backfillSchema },
      },
    },
    async (request, reply) => {
      const id = newId(request, "ubf");
      const openedBy = callerOf(request).actor;
      await openBackfill(db.orm, { ...request.body, id, openedBy, openedAt: now() });
      const stored = found(await findBackfill(db.orm, id), "usage_backfill", id);
      return reply.code(201).send(backfillAnswer(stored));
    },
  );
}

function list(api: ApiInstance, { db }: ApiDependencies): void {
  api.get(
    "/v1/usage/backfills",
    {
      config: { scope: "read", refusals: ["cursor_invalid"] },
      schema: {
        tags,
        summary: "List backfills, the newest first",
        querystring: backfillsQuery,
        response: { 200: listOf(backfillSchema) },
      },
    },
    async ({ query }) => {
      const { state, customer: customerId } = query;
      const page = await listBackfills(db.orm, { state, customerId }, pageRequest(query, newestFirst));
      return listAnswer(page, newestFirst, backfillAnswer);
    },
  );
}

function get(api: ApiInstance, { db }: ApiDependencies): void {
  api.get(
    "/v1/usage/backfills/:id",
    {
      config: { scope: "read", refusals: ["usage_backfill_not_found"] },
      schema: {
        tags,
        summary: "A backfill, with how many events it has",
        params: idParams,
        response: { 200: countedSchema },
      },
    },
    async ({ params: { id } }) => {
      const stored = found(await findBackfill(db.orm, id), "usage_backfill", id);
      return { ...backfillAnswer(stored), events: countsAnswer(await backfillCounts(db.orm, id)) };
    },
  );
}

function close(api: ApiInstance, { db, now }: ApiDependencies): void {
  api.post(
    "/v1/usage/backfills/:id/close",
    {
      config: { scope: "write", refusals: ["usage_backfill_not_found", "usage_backfill_reverted"] },
      schema: {
        tags,
        summary: "Close a backfill: it takes no more events",
        params: idParams,
        response: { 200: backfillSchema },
      },
    },
    async (request) => {
      const { id } = request.params;
      const { state } = found(await findBackfill(db.orm, id), "usage_backfill", id);
      backfillAfter(state, "close");
      const closedBy = callerOf(request).actor;
      await closeBackfill(db.orm, id, { closedBy, closedAt: now() });
      return backfillAnswer(found(await findBackfill(db.orm, id), "usage_backfill", id));
    },
  );
}

function revert(api: ApiInstance, deps: ApiDependencies): void {
  const { db } = deps;
  api.post(
    "/v1/usage/backfills/:id/revert",
    {
      config: { scope: "write", refusals: ["usage_backfill_not_found", "usage_event_archived"] },
      schema: {
        tags,
        summary: "Take back all of a backfill",
        description:
          "Closes it, and voids all its events as one correction: at once (201), or, above the limit or when it changes what was " +
          "billed, when another key approves that correction (202). One that is being taken back already answers with that.",
        params: idParams,
        body: revertInput,
        response: { 201: usageCorrectionSchema, 202: usageCorrectionSchema },
      },
    },
    async (request, reply) => {
      const { id: backfillId } = request.params;
      found(await findBackfill(db.orm, backfillId), "usage_backfill", backfillId);
      const { reason_code: reasonCode, note = null } = request.body;
      const asked = { id: newId(request, "ucor"), backfillId, reasonCode, note };
      await revertBackfill(deps, asked, contextOf(request));
      const { revertId } = found(await findBackfill(db.orm, backfillId), "usage_backfill", backfillId);
      const id = revertId ?? asked.id;
      const stored = found(await findCorrection(db.orm, id), "usage_correction", id);
      return reply.code(httpStatusOf(stored)).send(correctionAnswer(stored));
    },
  );
}

const countsAnswer = ({ accepted, voided, customers }: BackfillCounts) => ({
  accepted: Number(accepted),
  voided: Number(voided),
  customers: Number(customers),
});

function backfillAnswer(stored: StoredBackfill): z.infer<typeof backfillSchema> {
  return {
    id: stored.id,
    name: stored.name,
    reason: stored.reason,
    state: stored.state,
    opened_by: stored.openedBy,
    opened_at: isoOf(stored.openedAt),
    closed_by: stored.closedBy,
    closed_at: isoOrNull(stored.closedAt),
    revert: stored.revertId,
  };
}

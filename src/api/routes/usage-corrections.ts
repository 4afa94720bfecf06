import { z } from "zod";
import {
  type CorrectionEvent,
  eventsOfCorrection,
  findCorrection,
  listCorrections,
  type StoredCorrection,
  usageCorrectionStatuses,
} from "../../db/usage/correction-reads.ts";
import { isoOf } from "../../domain/calendar/index.ts";
import { correctedEventsMax, usageCorrectionKinds } from "../../domain/corrections/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import { correctEvents, decideUsageCorrection } from "../commands/usage-correction-commands.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { newId } from "../idempotency.ts";
import { contextOf } from "../observation.ts";
import { listAnswer, listOf, newestFirst, pageQuery, pageRequest } from "../pagination.ts";
import { found } from "../refusals.ts";
import { idInput, idParams, instantText, textInput } from "../wire.ts";
import { decisionRoutes } from "./decision-routes.ts";
import {
  correctionAnswer,
  correctionReasonFields,
  otherHasNote,
  usageCorrectionSchema,
} from "./usage-correction-schemas.ts";

const tags = ["Usage corrections"];

const eventName = { source: textInput(200), id: textInput(200) };
const eventsInput = <Item extends z.ZodType>(item: Item) =>
  z
    .array(item)
    .min(1)
    .max(correctedEventsMax)
    .describe("All of them are corrected, or none: `refusals` says which are in the way, and why.");

const voidInput = z.strictObject({
  kind: z.literal("void").describe("They count no more, for good."),
  events: eventsInput(z.strictObject(eventName)),
  ...correctionReasonFields,
});
const amendInput = z.strictObject({
  kind: z.literal("amend").describe("They count as if they had said this; time, type and customer stay."),
  events: eventsInput(
    z.strictObject({
      ...eventName,
      data: z.record(z.string(), z.unknown()).describe("The whole of what the event says from now on."),
    }),
  ),
  ...correctionReasonFields,
});
const correctionInput = z.discriminatedUnion("kind", [voidInput, amendInput]).superRefine(otherHasNote);

const detailSchema = usageCorrectionSchema
  .extend({
    events: z
      .array(
        z.object({
          source: z.string(),
          id: z.string(),
          customer: z.string(),
          time: instantText,
          data: z
            .record(z.string(), z.unknown())
            .optional()
            .describe("What an amended event says from then on."),
        }),
      )
      .describe(`The first ${correctedEventsMax}; a backfill may have more.`),
  })
  .meta({ id: "UsageCorrectionDetail" });

const correctionsQuery = pageQuery.extend({
  status: z.enum(usageCorrectionStatuses).optional(),
  kind: z.enum(usageCorrectionKinds).optional(),
  customer: idInput.optional().describe("Of whose events at least one is corrected."),
  backfill: idInput.optional(),
  actor: textInput(200).optional().describe("Who asked for it, as `requested_by` says."),
});

/** Usage that was reported wrongly is set right by facts of its own; what was said first stays. */
export function usageCorrectionRoutes(api: ApiInstance, deps: ApiDependencies): void {
  askForOne(api, deps);
  listAll(api, deps);
  getOne(api, deps);
  decisions(api, deps);
}

/** 202 for what waits for somebody else. */
export const httpStatusOf = ({ status }: StoredCorrection) => (status === "executed" ? 201 : 202);

function askForOne(api: ApiInstance, deps: ApiDependencies): void {
  api.post(
    "/v1/usage/corrections",
    {
      config: { scope: "write", refusals: ["usage_correction_refused"] },
      schema: {
        tags,
        summary: "Void or amend usage events",
        description:
          "Executed at once (201), or, above the limit of events or when it changes what was billed, when another key approves " +
          "it (202). What it changes in a period that was invoiced is billed or credited with the next invoice.",
        body: correctionInput,
        response: { 201: usageCorrectionSchema, 202: usageCorrectionSchema },
      },
    },
    async (request, reply) => {
      const id = newId(request, "ucor");
      const { kind, events, reason_code: reasonCode, note = null } = request.body;
      const asked = events.map((event) => ({ ...event, data: "data" in event ? event.data : null }));
      await correctEvents(deps, { id, kind, reasonCode, note, events: asked }, contextOf(request));
      const stored = found(await findCorrection(deps.db.orm, id), "usage_correction", id);
      return reply.code(httpStatusOf(stored)).send(correctionAnswer(stored));
    },
  );
}

function listAll(api: ApiInstance, { db }: ApiDependencies): void {
  api.get(
    "/v1/usage/corrections",
    {
      config: { scope: "read", refusals: ["cursor_invalid"] },
      schema: {
        tags,
        summary: "List corrections of usage, the newest first",
        querystring: correctionsQuery,
        response: { 200: listOf(usageCorrectionSchema) },
      },
    },
    async ({ query }) => {
      const { status, kind, customer: customerId, backfill: backfillId, actor: requestedBy } = query;
      const filter = { status, kind, customerId, backfillId, requestedBy };
      const page = await listCorrections(db.orm, filter, pageRequest(query, newestFirst));
      return listAnswer(page, newestFirst, correctionAnswer);
    },
  );
}

function getOne(api: ApiInstance, { db }: ApiDependencies): void {
  api.get(
    "/v1/usage/corrections/:id",
    {
      config: { scope: "read", refusals: ["usage_correction_not_found"] },
      schema: {
        tags,
        summary: "A correction of usage with its decision and its events",
        params: idParams,
        response: { 200: detailSchema },
      },
    },
    async ({ params: { id } }) => {
      const stored = found(await findCorrection(db.orm, id), "usage_correction", id);
      const events = await eventsOfCorrection(db.orm, id, correctedEventsMax);
      return { ...correctionAnswer(stored), events: events.map(eventAnswer) };
    },
  );
}

const eventAnswer = ({ source, id, customerId: customer, time, data }: CorrectionEvent) => ({
  source,
  id,
  customer,
  time: isoOf(time),
  ...(data === null ? {} : { data }),
});

function decisions(api: ApiInstance, deps: ApiDependencies): void {
  decisionRoutes(api, {
    path: "/v1/usage/corrections",
    tags,
    resource: "usage_correction",
    approve: {
      summary: "Agree to a correction of usage, which executes it",
      description:
        "By another key than the one that asked for it. When one of the events was corrected since then it is refused, and the " +
        "correction goes on waiting.",
      refusals: ["usage_correction_refused", "usage_event_changed"],
    },
    reject: {
      summary: "Refuse a correction of usage",
      description: "By another key than the one that asked for it. It never counts.",
    },
    withdraw: { summary: "Take back one's own request for a correction of usage" },
    response: usageCorrectionSchema,
    decide: ({ id: correctionId, ...decision }, context) =>
      decideUsageCorrection(deps, { correctionId, ...decision }, context),
    answer: async (id) =>
      correctionAnswer(found(await findCorrection(deps.db.orm, id), "usage_correction", id)),
  });
}

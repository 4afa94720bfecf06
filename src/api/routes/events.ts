import { Readable } from "node:stream";
import type { FastifyReply } from "fastify";
import { z } from "zod";
import { findBackfill } from "../../db/usage/backfills.ts";
import { backfillAfter, backfillEventAgeDaysMax } from "../../domain/corrections/index.ts";
import type { UsageEvent } from "../../domain/metering/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { batchAnswerText, outcomeCounts } from "../ingest/batch-answer.ts";
import { eventsMax } from "../ingest/event-document.ts";
import type { Ingest } from "../ingest/ingest.ts";
import { declaredBytes, lineTypes, readEvents } from "../ingest/read-events.ts";
import { type TakingIn, takeIn } from "../ingest/take-in.ts";
import { found } from "../refusals.ts";
import { idInput } from "../wire.ts";
import { batchInput, batchSchema } from "./events-wire.ts";
import { storedEventsRoute } from "./stored-events.ts";

export interface EventsDependencies extends Pick<ApiDependencies, "db" | "now">, Pick<TakingIn, "nowFor"> {
  readonly ingest: Ingest;
}

const tags = ["Usage"];
const batchDescription =
  `One event, or up to ${eventsMax} in at most 10 MiB: as JSON, as NDJSON (\`${lineTypes[0]}\`), or as CloudEvents, ` +
  "structured, batched (`application/cloudevents-batch+json`) or binary; compressed with gzip, deflate, br or zstd if you " +
  "like. Safe to repeat: an event is counted once, for ever, by its source and id. `accepted` means that it is stored, " +
  "deduplicated and counted. Each event has an outcome of its own, and so has each line that is not JSON. After 429 or " +
  "503 send the request again when Retry-After is over.";

const batchQuery = z.strictObject({
  results: z
    .enum(["all", "problems"])
    .default("all")
    .describe("`problems` leaves out the results of events that were accepted, now or before."),
  backfill: idInput
    .optional()
    .describe(
      `The open backfill that they belong to. They may be up to ${backfillEventAgeDaysMax} days old, and nothing is quarantined: ` +
        "an event of an unknown customer, or that no meter reads, is invalid.",
    ),
});

/** Usage events in, and out again. */
export async function eventsRoutes(api: ApiInstance, deps: EventsDependencies): Promise<void> {
  // In a scope of its own, because here a body is read by the handler, once it has been admitted.
  await api.register(async (scope: ApiInstance) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", (_request, body, done) => done(null, body));
    takeInEvents(scope, deps);
  });
  storedEventsRoute(api, deps);
}

function takeInEvents(api: ApiInstance, { db, ingest, now, nowFor }: EventsDependencies): void {
  api.post(
    "/v1/events",
    {
      config: {
        scope: "usage:write",
        repeatable: true,
        isFrequent: true,
        refusals: [
          "body_incomplete",
          "encoding_malformed",
          "encoding_unsupported",
          "too_many_requests",
          "usage_backfill_not_found",
          "usage_backfill_closed",
          "usage_backfill_reverted",
        ],
      },
      schema: {
        tags,
        summary: "Take in usage events",
        description: batchDescription,
        querystring: batchQuery,
        body: batchInput,
        response: { 200: batchSchema },
      },
    },
    async ({ headers, body, query }, reply) => {
      const { writer, limits, metrics } = ingest;
      const permit = limits.admit(declaredBytes(headers));
      // Until then the answer takes memory, and it comes even when the sender has gone.
      reply.raw.once("close", () => permit.release());
      if (reply.raw.closed) permit.release();
      const inputs = await readEvents(headers, body instanceof Readable ? body : undefined, permit);
      permit.hold(inputs.length);
      const outcomes = await takeIn(inputs, {
        now,
        nowFor,
        ...(query.backfill === undefined ? { writer } : await backfillTaking(db, ingest, query.backfill)),
      });
      const counts = outcomeCounts(outcomes);
      metrics.answered(counts);
      const text = batchAnswerText(outcomes, { inputs, counts, listed: query.results });
      return sendJson(reply, text);
    },
  );
}

async function backfillTaking(db: EventsDependencies["db"], { backfills }: Ingest, id: string) {
  const { state } = found(await findBackfill(db.orm, id), "usage_backfill", id);
  backfillAfter(state, "add_events");
  return {
    writer: { take: (events: readonly UsageEvent[]) => backfills.take(id, events) },
    ageDaysMax: backfillEventAgeDaysMax,
  };
}

const sendJson = (reply: FastifyReply, text: string) =>
  reply.type("application/json; charset=utf-8").send(text);

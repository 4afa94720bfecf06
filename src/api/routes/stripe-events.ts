import { z } from "zod";
import {
  findWebhook,
  listWebhooks,
  replayWebhook,
  type StoredWebhook,
} from "../../db/billing/webhook-inbox.ts";
import { isoOf } from "../../domain/calendar/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { listAnswer, listOf, newestFirst, pageQuery, pageRequest } from "../pagination.ts";
import { found, RequestRefusedError } from "../refusals.ts";
import { idParams, instantText } from "../wire.ts";

const stripeEventSchema = z
  .object({
    id: z.string().describe("Stripe's."),
    type: z.string().meta({ example: "invoice.paid" }),
    state: z.enum(["waiting", "done", "ignored", "parked"]),
    attempts: z.int().describe("How often it was tried to be applied."),
    received_at: instantText,
    next_attempt_at: instantText.nullable().describe("Null when it is not waiting."),
    last_error: z.string().nullable(),
  })
  .meta({ id: "StripeEvent" });

const tags = ["Operations"];

/** What Stripe has told us and could not be applied: seen here, and applied again when what was wrong is mended. */
export function stripeEventRoutes(api: ApiInstance, { db }: ApiDependencies): void {
  api.get(
    "/v1/stripe-events",
    {
      config: { scope: "operate", refusals: ["cursor_invalid"] },
      schema: {
        tags,
        summary: "List Stripe events that are not applied, the newest first",
        querystring: pageQuery.extend({ state: z.enum(["parked", "waiting"]).default("parked") }),
        response: { 200: listOf(stripeEventSchema) },
      },
    },
    async ({ query: { state, ...query } }) => {
      const page = await listWebhooks(db.orm, state, pageRequest(query, newestFirst));
      return listAnswer(page, newestFirst, eventAnswer);
    },
  );
  api.post(
    "/v1/stripe-events/:id/replay",
    {
      config: {
        scope: "operate",
        refusals: ["stripe_event_not_found", "stripe_event_not_parked"],
        repeatable: true,
      },
      schema: {
        tags,
        summary: "Apply a parked Stripe event again",
        params: idParams,
        response: { 200: stripeEventSchema },
      },
    },
    async ({ params: { id } }) => {
      const { state } = found(await findWebhook(db.orm, id), "stripe_event", id);
      if (!(await replayWebhook(db.orm, id))) {
        throw new RequestRefusedError(
          "stripe_event_not_parked",
          `the event is ${state}: nothing is to be done`,
        );
      }
      return eventAnswer(found(await findWebhook(db.orm, id), "stripe_event", id));
    },
  );
}

function eventAnswer(event: StoredWebhook): z.infer<typeof stripeEventSchema> {
  return {
    id: event.eventId,
    type: event.type,
    state: event.state,
    attempts: event.attempts,
    received_at: isoOf(event.receivedAt),
    next_attempt_at: event.state === "waiting" ? isoOf(event.nextAttemptAt) : null,
    last_error: event.lastError,
  };
}

import type { FastifyReply, FastifyRequest } from "fastify";
import type { z } from "zod";
import { type IngestOutcome, ingestEvents } from "../../db/usage-ingest.ts";
import { type EventPosition, findEvents, type StoredEvent } from "../../db/usage-reads.ts";
import { type Instant, instant, isoOf } from "../../domain/calendar/index.ts";
import { BillingError } from "../../domain/errors.ts";
import { type Meter, parseUsageEvent, type UsageEvent } from "../../domain/metering/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { type CursorForm, listAnswer, listOf, pageQuery, pageRequest } from "../pagination.ts";
import { RequestRefusedError } from "../refusals.ts";
import { instantInput, textInput } from "../wire.ts";
import { batchInput, batchSchema, eventsMax, eventText, listedEventSchema } from "./events-wire.ts";

export interface EventsDependencies extends Pick<ApiDependencies, "db" | "now"> {
  /** The meters in force. */
  readonly meters: () => Promise<readonly Meter[]>;
  /** The time of those of these customers who are on a test clock; for all others it is `now()`. */
  readonly nowFor: (customerIds: readonly string[]) => Promise<ReadonlyMap<string, Instant>>;
  /** How many batches are worked on at once before senders are asked to wait; 32 when left out. */
  readonly batchesInFlightMax?: number;
}

const bodyBytesMax = 10 * 1024 * 1024;
const tags = ["Usage"];
const batchDescription =
  `One event, or up to ${eventsMax}. Safe to repeat: an event is counted once, for ever, by its source and id. ` +
  "`accepted` means that it is stored, deduplicated and counted.";

/** Usage events in, and out again. */
export function eventsRoutes(api: ApiInstance, deps: EventsDependencies): void {
  api.post(
    "/v1/events",
    {
      ...limitInFlight(deps.batchesInFlightMax ?? 32),
      bodyLimit: bodyBytesMax,
      config: { scope: "usage:write", repeatable: true, refusals: ["too_many_requests"] },
      schema: {
        tags,
        summary: "Take in usage events",
        description: batchDescription,
        body: batchInput,
        response: { 200: batchSchema },
      },
    },
    async ({ body }) => batchAnswer(await takeIn(eventsIn(body), deps)),
  );
  listEvents(api, deps);
}

type Result = IngestOutcome & { readonly id: string | undefined };

/** Each event is parsed on its own: a bad one is answered as invalid, its neighbours are taken in. */
async function takeIn(
  inputs: readonly unknown[],
  { db, now, meters, nowFor }: EventsDependencies,
): Promise<Result[]> {
  const [metersInForce, clocks] = await Promise.all([meters(), nowFor(customersIn(inputs))]);
  const wallClock = now();
  const parsed = inputs.map((input) => parsedEvent(input, clocks.get(customerOf(input) ?? "") ?? wallClock));
  const events = parsed.filter((event): event is UsageEvent => !(event instanceof BillingError));
  const outcomes = (await ingestEvents(db, events, metersInForce)).values();
  return parsed.map((event, index) => {
    const id = eventText(inputs[index], "id");
    if (event instanceof BillingError) return { id, status: "invalid", refusal: event };
    return { id, ...(outcomes.next().value as IngestOutcome) };
  });
}

function parsedEvent(input: unknown, now: Instant): UsageEvent | BillingError {
  try {
    return parseUsageEvent(input, now);
  } catch (error) {
    if (error instanceof BillingError) return error;
    throw error;
  }
}

function eventsIn(body: unknown): readonly unknown[] {
  const events = Array.isArray(body) ? body : listIn(body);
  if (events.length > eventsMax) {
    const message = `a request has at most ${eventsMax} events, this one has ${events.length}: send them in several`;
    throw new RequestRefusedError("body_too_large", message);
  }
  return events;
}

/** `{ events: […] }`, or a single event. */
function listIn(body: unknown): readonly unknown[] {
  if (typeof body !== "object" || body === null || !("events" in body)) return [body];
  if (Array.isArray(body.events) && Object.keys(body).length === 1) return body.events;
  throw new RequestRefusedError("request_invalid", "events must be a list, and the only field", "events");
}

const customerOf = (input: unknown) => eventText(input, "customer") ?? eventText(input, "subject");

const customersIn = (inputs: readonly unknown[]) => [
  ...new Set(inputs.flatMap((input) => customerOf(input) ?? [])),
];

function batchAnswer(results: readonly Result[]): z.infer<typeof batchSchema> {
  const numberOf = (status: IngestOutcome["status"]) =>
    results.filter((result) => result.status === status).length;
  return {
    accepted: numberOf("accepted"),
    duplicates: numberOf("duplicate"),
    conflicts: numberOf("conflict"),
    invalid: numberOf("invalid"),
    quarantined: numberOf("quarantined"),
    results: results.map((result, index) => ({
      index,
      ...(result.id === undefined ? {} : { id: result.id }),
      status: result.status,
      ...explanationOf(result),
    })),
  };
}

function explanationOf(outcome: IngestOutcome): { code?: string; field?: string; detail?: string } {
  if (outcome.status === "invalid") {
    const { code, field, message } = outcome.refusal;
    return { code, detail: message, ...(field === undefined ? {} : { field }) };
  }
  if (outcome.status === "quarantined") return { code: outcome.reason, detail: quarantined[outcome.reason] };
  if (outcome.status === "conflict") return { code: "usage_event_conflict", detail: conflicting };
  return {};
}

const quarantined = {
  unknown_customer: "kept, and counted once this customer exists",
  no_meter: "kept, and counted once a meter wants events of this type",
};
const conflicting =
  "an event with this source and id says something else; that one stands, this one was kept beside it";

/** Refuses before the body is read, so that a flood takes neither memory nor connections. */
function limitInFlight(batchesMax: number) {
  const inFlight = new Set<FastifyRequest>();
  return {
    onRequest: async (request: FastifyRequest, reply: FastifyReply) => {
      if (inFlight.size >= batchesMax) {
        reply.header("retry-after", "1");
        const message = `${batchesMax} batches are being taken in at this moment: send this one again in a second`;
        throw new RequestRefusedError("too_many_requests", message);
      }
      inFlight.add(request);
    },
    onResponse: async (request: FastifyRequest) => {
      inFlight.delete(request);
    },
  };
}

const eventPosition: CursorForm<EventPosition> = {
  write: ({ time, seq }) => [isoOf(time), seq.toString()],
  read: ([time = "", seq = ""]) => ({ time: instant(time), seq: BigInt(seq) }),
};

const eventsQuery = pageQuery.extend({
  customer: textInput(200),
  id: textInput(200).optional(),
  source: textInput(200).optional().describe("With `id`, finds an event at once."),
  from: instantInput.optional(),
  to: instantInput.optional().describe("Exclusive."),
});

function listEvents(api: ApiInstance, { db }: EventsDependencies): void {
  api.get(
    "/v1/events",
    {
      config: { scope: "read", refusals: ["cursor_invalid"] },
      schema: {
        tags,
        summary: "List a customer's accepted events, the newest first",
        querystring: eventsQuery,
        response: { 200: listOf(listedEventSchema) },
      },
    },
    async ({ query }) => {
      const { customer: customerId, id, source, from, to } = query;
      const page = await findEvents(
        db.orm,
        { customerId, id, source, from, to },
        pageRequest(query, eventPosition),
      );
      return listAnswer(page, eventPosition, eventAnswer);
    },
  );
}

function eventAnswer(event: StoredEvent): z.infer<typeof listedEventSchema> {
  const { id, source, customerId, type, time, data, recordedAt, contributions } = event;
  return {
    id,
    source,
    customer: customerId,
    type,
    time: isoOf(time),
    data,
    recorded_at: isoOf(recordedAt),
    contributions: contributions.map(({ meter_key, dimensions_key, quantity }) => ({
      meter: meter_key,
      dimensions: JSON.parse(dimensions_key),
      quantity,
    })),
  };
}

import type { z } from "zod";
import { type EventPosition, findEvents, type StoredEvent } from "../../db/usage/usage-reads.ts";
import { instant, isoOf } from "../../domain/calendar/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { type CursorForm, listAnswer, listOf, pageQuery, pageRequest } from "../pagination.ts";
import { instantInput, textInput } from "../wire.ts";
import { listedEventSchema } from "./events-wire.ts";

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

/** A customer's accepted events, to look something up. */
export function storedEventsRoute(api: ApiInstance, { db }: Pick<ApiDependencies, "db">): void {
  api.get(
    "/v1/events",
    {
      config: { scope: "read", refusals: ["cursor_invalid"] },
      schema: {
        tags: ["Usage"],
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
    contributions: contributions.map(({ meterKey, meterVersion, dimensions, quantity, value }) => ({
      meter: meterKey,
      meter_version: meterVersion,
      dimensions,
      quantity,
      ...(value === undefined ? {} : { value: JSON.parse(value) }),
    })),
  };
}

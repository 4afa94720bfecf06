import type { z } from "zod";
import { inSnapshot } from "../../db/database.ts";
import { archivedBefore } from "../../db/usage/archived-months.ts";
import {
  type EventRecord,
  findEventRecord,
  quarantinedEvents,
  type UncountedEvent,
} from "../../db/usage/event-records.ts";
import { type EventPosition, limitedRead, searchEvents, searchMsMax } from "../../db/usage/event-search.ts";
import type { StoredEvent } from "../../db/usage/usage-reads.ts";
import { instant, isoOf } from "../../domain/calendar/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { namedValues } from "../named-values.ts";
import { type CursorForm, listAnswer, listOf, pageQuery, pageRequest } from "../pagination.ts";
import { RequestRefusedError } from "../refusals.ts";
import { instantInput, instantText, textInput } from "../wire.ts";
import { correctionOfEventAnswer } from "./event-corrections.ts";
import { listedEventSchema } from "./events-wire.ts";

type ListedEvent = z.infer<typeof listedEventSchema>;

const eventPosition: CursorForm<EventPosition> = {
  write: ({ time, seq }) => [isoOf(time), seq.toString()],
  read: ([time = "", seq = ""]) => ({ time: instant(time), seq: BigInt(seq) }),
};

const eventsQuery = pageQuery.extend({
  source: textInput(200).optional().describe("With `id`, finds an event at once, whoever its customer is."),
  id: textInput(200).optional(),
  customer: textInput(200).optional(),
  from: instantInput.optional(),
  to: instantInput.optional().describe("Exclusive."),
  type: textInput(200).optional(),
  property: namedValues
    .optional()
    .describe(
      "A member of the event's data has this value, such as `model:large` or `usage.tier:2`. May be given several times: all hold.",
    ),
  state: listedEventSchema.shape.state
    .extract(["accepted", "quarantined"])
    .optional()
    .describe(
      "Of a customer: `accepted` when left out. By source and id everything is found, conflicts too.",
    ),
});

const eventListSchema = listOf(listedEventSchema).extend({
  archived_before: instantText
    .nullable()
    .describe(
      "What was asked for reaches into months whose events are archived: none before this instant is listed.",
    ),
});

type EventsQuery = z.output<typeof eventsQuery>;

/** Single events, to see what became of them. */
export function storedEventsRoute(api: ApiInstance, { db }: Pick<ApiDependencies, "db">): void {
  api.get(
    "/v1/events",
    {
      config: { scope: "read", refusals: ["cursor_invalid", "search_too_broad", "usage_event_archived"] },
      schema: {
        tags: ["Usage"],
        summary: "Find usage events",
        description:
          "By source and id: everything that was sent under that key, the one that stands first, then what contradicted it. Or a " +
          "customer's events, the newest first; by type, by property, or by source or id alone only within a time from and to.",
        querystring: eventsQuery,
        response: { 200: eventListSchema },
      },
    },
    async ({ query }) => {
      const { source, id, customer } = query;
      if (source !== undefined && id !== undefined) {
        const record = await inSnapshot(db, (tx) => findEventRecord(tx, source, id));
        const data = record === undefined ? [] : recordAnswer(record);
        return {
          data: data.filter((event) => (customer ?? event.customer) === event.customer),
          next_cursor: null,
          archived_before: null,
        };
      }
      const filter = filterOf(query);
      const page = pageRequest(query, eventPosition);
      const archived = await archivedBefore(db.orm);
      const isCutOff = archived !== null && (filter.from ?? archived - 1) < archived;
      const archived_before = isCutOff ? isoOf(archived) : null;
      if (query.state === "quarantined") {
        const waiting = await limitedRead(db, searchMsMax, (tx) => quarantinedEvents(tx, filter, page));
        return { ...listAnswer(waiting, eventPosition, quarantinedAnswer), archived_before };
      }
      const accepted = await searchEvents(db, filter, page);
      return { ...listAnswer(accepted, eventPosition, acceptedAnswer), archived_before };
    },
  );
}

/** @throws RequestRefusedError when nothing bounds what must be looked at */
function filterOf({ customer, from, to, source, id, type, property }: EventsQuery) {
  const tooBroad = (message: string, field: string) =>
    new RequestRefusedError("search_too_broad", message, field);
  if (customer === undefined) throw tooBroad("name a customer, or both source and id", "customer");
  const isFiltered = [source, id, type, property].some((asked) => asked !== undefined);
  if (isFiltered && (from === undefined || to === undefined)) {
    throw tooBroad(
      "say from and to: events of that time are looked at one by one",
      from === undefined ? "from" : "to",
    );
  }
  return { customerId: customer, from, to, source, id, type, properties: property };
}

/** Everything under one key, the one that stands first. */
function recordAnswer(record: EventRecord): ListedEvent[] {
  const { accepted, quarantined, conflicts } = record;
  requireUnarchived(record);
  return [
    ...(accepted === null ? [] : [acceptedAnswer(accepted)]),
    ...(quarantined === null ? [] : [quarantinedAnswer(quarantined)]),
    ...conflicts.map((event) => ({ state: "conflict" as const, ...saidBy(event), contributions: [] })),
  ];
}

/** The event that stands. @throws RequestRefusedError when only its key is left */
export function requireUnarchived({ accepted, quarantined, time }: EventRecord): UncountedEvent {
  const event = accepted ?? quarantined;
  if (event !== null) return event;
  const message = `the event was taken in; events of ${isoOf(time).slice(0, 7)} are archived`;
  throw new RequestRefusedError("usage_event_archived", message);
}

const quarantinedAnswer = (event: NonNullable<EventRecord["quarantined"]>): ListedEvent => ({
  state: "quarantined",
  reason: event.reason,
  ...saidBy(event),
  contributions: [],
});

const acceptedAnswer = (event: StoredEvent): ListedEvent => ({
  state: "accepted",
  ...saidBy(event),
  contributions: event.contributions.map(contributionAnswer),
  standing: event.standing.map(contributionAnswer),
  corrections: event.corrections.map(correctionOfEventAnswer),
});

const contributionAnswer = ({
  meterKey,
  meterVersion,
  dimensions,
  quantity,
  value,
}: StoredEvent["contributions"][number]) => ({
  meter: meterKey,
  meter_version: meterVersion,
  dimensions,
  quantity,
  ...(value === undefined ? {} : { value: JSON.parse(value) }),
});

const saidBy = ({ id, source, customerId, type, time, data, recordedAt }: UncountedEvent) => ({
  id,
  source,
  customer: customerId,
  type,
  time: isoOf(time),
  data,
  recorded_at: isoOf(recordedAt),
});

import { z } from "zod";
import { findInvoice } from "../../db/billing/invoices.ts";
import {
  eventsOfLine,
  findRatedLine,
  type LineEvent,
  type LineEventPosition,
} from "../../db/billing/line-events.ts";
import { archivedBefore } from "../../db/usage/archived-months.ts";
import { limitedRead, searchMsMax } from "../../db/usage/event-search.ts";
import { instant, isoOf } from "../../domain/calendar/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { type CursorForm, listAnswer, listOf, pageQuery, pageRequest } from "../pagination.ts";
import { found } from "../refusals.ts";
import { decimalText, idInput, instantText } from "../wire.ts";

const linePosition: CursorForm<LineEventPosition> = {
  write: ({ time, ...rest }) => [isoOf(time), ...[rest.eventSeq, rest.factSeq, rest.place].map(String)],
  read: ([time = "", eventSeq = "", factSeq = "", place = ""]) => ({
    time: instant(time),
    eventSeq: BigInt(eventSeq),
    factSeq: BigInt(factSeq),
    place: BigInt(place),
  }),
};

const lineEventSchema = z.object({
  source: z.string().nullable().describe("Null, with `id` and `type`, of an event that is archived."),
  id: z.string().nullable(),
  type: z.string().nullable(),
  time: instantText,
  recorded_at: instantText.describe("When the event, or what became of it later, was taken in."),
  dimensions: z.record(z.string(), z.string()),
  quantity: decimalText.describe("In the meter's own measure."),
  effect: z.enum(["added", "taken_back"]).describe("Whether the line bills it, or takes it back."),
});

const lineEventsSchema = listOf(lineEventSchema)
  .extend({
    invoice: z.string(),
    line: z.number().int(),
    quantity: decimalText.describe(
      "As the line says, in the meter's unit. Of meters that count or add up it is what the events come to, those taken back " +
        "deducted.",
    ),
    subscription: z.string(),
    revision: z.number().int().describe("0: the closing of the period. Later ones bill late usage."),
    period_start: instantText.describe("Events of this time are in it."),
    period_end: instantText,
    meter: z.string(),
    meter_version: z.number().int(),
    aggregation: z.string(),
    archived_before: instantText
      .nullable()
      .describe(
        "Events before this instant are archived and not listed: then they do not add up to the quantity.",
      ),
    where: z.record(z.string(), z.string()).describe("Events with these dimensions are in it."),
  })
  .meta({ id: "InvoiceLineEvents" });

/** From an invoice line back to its events. */
export function invoiceLineEventsRoutes(api: ApiInstance, { db }: Pick<ApiDependencies, "db">): void {
  api.get(
    "/v1/invoices/:id/lines/:line/events",
    {
      config: {
        scope: "read",
        refusals: ["invoice_not_found", "usage_line_not_found", "cursor_invalid", "search_too_broad"],
      },
      schema: {
        tags: ["Invoices"],
        summary: "The usage events that an invoice line bills, in the order of their time",
        description:
          "Exactly those that the rating behind the line has seen and no rating before it, in the line's period, for its meter and " +
          "dimensions. Lines that bill no usage have none.",
        params: z.strictObject({ id: idInput, line: z.coerce.number().int().min(1).max(100_000) }),
        querystring: pageQuery,
        response: { 200: lineEventsSchema },
      },
    },
    async ({ params: { id, line }, query }) =>
      limitedRead(db, searchMsMax, async (tx) => {
        found(await findInvoice(tx, id), "invoice", id);
        const rated = found(await findRatedLine(tx, id, line), "usage_line", `${line}`);
        const archived = await archivedBefore(tx);
        const page = await eventsOfLine(tx, rated, pageRequest(query, linePosition));
        return {
          invoice: id,
          line,
          quantity: rated.quantity,
          subscription: rated.subscriptionId,
          revision: rated.revision,
          period_start: isoOf(rated.period.start),
          period_end: isoOf(rated.period.end),
          meter: rated.meterKey,
          meter_version: rated.meterVersion,
          aggregation: rated.aggregation,
          where: rated.where,
          archived_before: archived !== null && rated.period.start < archived ? isoOf(archived) : null,
          ...listAnswer(page, linePosition, lineEventAnswer),
        };
      }),
  );
}

function lineEventAnswer(event: LineEvent): z.infer<typeof lineEventSchema> {
  const { source, id, type, time, recordedAt, dimensions, quantity, isTakenBack } = event;
  return {
    source,
    id,
    type,
    time: isoOf(time),
    recorded_at: isoOf(recordedAt),
    dimensions,
    quantity,
    effect: isTakenBack ? "taken_back" : "added",
  };
}

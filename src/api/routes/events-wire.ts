import { z } from "zod";
import { eventsMax } from "../ingest/event-document.ts";
import { decimalText, instantText } from "../wire.ts";
import { correctionOfEventSchema } from "./event-corrections.ts";

/** How usage events look in requests and answers. */

const text = { type: "string", minLength: 1, maxLength: 200 };
const time = { type: "string", format: "date-time" };
const data = { type: "object", additionalProperties: true, description: "What meters read; any JSON." };

const usageEvent = {
  title: "UsageEvent",
  type: "object",
  properties: { id: text, source: text, customer: text, type: text, time, data },
  required: ["id", "source", "customer", "type", "time"],
  additionalProperties: false,
};

const cloudEvent = {
  title: "CloudEvent",
  description: "CloudEvents 1.0 in JSON; `subject` is the customer.",
  type: "object",
  properties: {
    specversion: { const: "1.0" },
    id: text,
    source: text,
    subject: text,
    type: text,
    time,
    data,
  },
  required: ["specversion", "id", "source", "subject", "type", "time"],
};

const event = { anyOf: [usageEvent, cloudEvent] };
const events = { type: "array", items: event, maxItems: eventsMax };

/** Documented here but parsed event by event, so that one bad event does not refuse the others. */
export const batchInput = z.unknown().meta({
  anyOf: [
    usageEvent,
    cloudEvent,
    events,
    { type: "object", properties: { events }, required: ["events"], additionalProperties: false },
  ],
});

const statuses = ["accepted", "duplicate", "conflict", "invalid", "quarantined"] as const;

export const batchSchema = z
  .object({
    accepted: z.number().int(),
    duplicates: z.number().int().describe("Sent before with the same content; counted then."),
    conflicts: z.number().int().describe("Sent before with other content; the first one stands."),
    invalid: z.number().int().describe("Not stored."),
    quarantined: z.number().int().describe("Stored; counted once their customer or a meter for them exists."),
    results: z.array(
      z.object({
        index: z.number().int().describe("Place in the request, from 0."),
        id: z.string().optional(),
        status: z.enum(statuses),
        code: z.string().optional().describe("Stable: branch on this."),
        field: z.string().optional(),
        detail: z.string().optional(),
      }),
    ),
  })
  .meta({ id: "UsageBatch" });

const contributionSchema = z.object({
  meter: z.string(),
  meter_version: z.number().int(),
  dimensions: z.record(z.string(), z.string()),
  quantity: decimalText,
  value: z.union([z.string(), z.number(), z.boolean()]).optional().describe("Of meters that count values."),
});

export const listedEventSchema = z
  .object({
    state: z
      .enum(["accepted", "quarantined", "conflict"])
      .describe(
        "`quarantined`: waits for its customer or a meter, see `reason`. `conflict`: came with the key of an earlier event and " +
          "other content; it is kept and does not count.",
      ),
    reason: z.enum(["unknown_customer", "no_meter"]).optional().describe("Why it is quarantined."),
    id: z.string(),
    source: z.string(),
    customer: z.string(),
    type: z.string(),
    time: instantText,
    data: z.record(z.string(), z.unknown()),
    recorded_at: instantText,
    contributions: z.array(contributionSchema).describe("What each meter made of it when it was accepted."),
    standing: z
      .array(contributionSchema)
      .optional()
      .describe(
        "What counts of an accepted event now: with its corrections, and with meters that came later.",
      ),
    corrections: z
      .array(correctionOfEventSchema)
      .optional()
      .describe("What became of an accepted event later, the oldest first."),
  })
  .meta({ id: "UsageEvent" });

import { z } from "zod";
import { type BilledPlace, type EventContribution, eventBilling } from "../../db/billing/event-billing.ts";
import { inSnapshot, type Tx } from "../../db/database.ts";
import { findEventRecord } from "../../db/usage/event-records.ts";
import { isoOf } from "../../domain/calendar/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { found } from "../refusals.ts";
import { decimalText, instantText, textInput } from "../wire.ts";
import { requireUnarchived } from "./stored-events.ts";

const placeSchema = z.object({
  status: z
    .enum(["invoiced", "open", "waiting", "ended", "other_version", "not_priced"])
    .describe(
      "`invoiced`: a closing has seen it. `open`: its period is not closed. `waiting`: it came after its period was closed and is " +
        "late usage of the next closing. `ended`: the same, but the subscription closes no more. `other_version`: another version " +
        "of the meter measures the period. `not_priced`: no price is for it.",
    ),
  subscription: z.string(),
  period_start: instantText,
  period_end: instantText,
  plan: z.string().nullable(),
  price: z.string().nullable(),
  revision: z
    .number()
    .int()
    .nullable()
    .describe("Which rating of the period saw it first: 0 closed the period, later ones bill late usage."),
  effect: z
    .enum(["added", "taken_back"])
    .nullable()
    .describe("Whether the line bills it, or takes it back from what was billed before."),
  invoice: z.string().nullable(),
  invoice_number: z.string().nullable(),
  line: z
    .number()
    .int()
    .nullable()
    .describe("Null on an invoice when it changed nothing, as a smaller value of a maximum."),
});

const contributionSchema = z.object({
  meter: z.string(),
  meter_version: z.number().int(),
  dimensions: z.record(z.string(), z.string()),
  quantity: decimalText,
  effect: z.enum(["added", "taken_back"]).describe("`taken_back`: a correction took the contribution back."),
  recorded_at: instantText,
  places: z.array(placeSchema).describe("Empty when the customer had no subscription at the event's time."),
});

const billingSchema = z
  .object({
    source: z.string(),
    id: z.string(),
    customer: z.string(),
    time: instantText,
    state: z.enum(["accepted", "quarantined"]).describe("What is quarantined has contributed nothing yet."),
    contributions: z.array(contributionSchema),
  })
  .meta({ id: "UsageEventBilling" });

/** Which invoice lines an event is in. */
export function eventBillingRoutes(api: ApiInstance, { db }: Pick<ApiDependencies, "db">): void {
  api.get(
    "/v1/events/billing",
    {
      config: { scope: "read", refusals: ["usage_event_not_found", "usage_event_archived"] },
      schema: {
        tags: ["Usage"],
        summary: "Which invoice lines an event is in, or why in none",
        querystring: z.strictObject({ source: textInput(200), id: textInput(200) }),
        response: { 200: billingSchema },
      },
    },
    // One snapshot: between two statements the event's period may be closed.
    async ({ query: { source, id } }) => inSnapshot(db, (tx) => billingAnswer(tx, source, id)),
  );
}

async function billingAnswer(tx: Tx, source: string, id: string): Promise<z.infer<typeof billingSchema>> {
  const record = found(await findEventRecord(tx, source, id), "usage_event", id);
  const { customerId, time } = requireUnarchived(record);
  const contributions =
    record.accepted === null ? [] : await eventBilling(tx, { seq: record.seq, time, customerId });
  return {
    source,
    id,
    customer: customerId,
    time: isoOf(time),
    state: record.accepted === null ? "quarantined" : "accepted",
    contributions: contributions.map(contributionAnswer),
  };
}

const effectOf = (isTakenBack: boolean) => (isTakenBack ? ("taken_back" as const) : ("added" as const));

function contributionAnswer(contribution: EventContribution): z.infer<typeof contributionSchema> {
  const { meterKey, meterVersion, dimensions, quantity, isTakenBack, recordedAt, billed } = contribution;
  return {
    meter: meterKey,
    meter_version: meterVersion,
    dimensions,
    quantity,
    effect: effectOf(isTakenBack),
    recorded_at: isoOf(recordedAt),
    places: [...billed.map(billedAnswer), ...contribution.unbilled.flatMap(unbilledAnswers)],
  };
}

const billedAnswer = (place: BilledPlace): z.infer<typeof placeSchema> => ({
  status: "invoiced",
  subscription: place.subscriptionId,
  period_start: isoOf(place.periodStart),
  period_end: isoOf(place.periodEnd),
  plan: place.planKey,
  price: place.priceKey,
  revision: place.revision,
  effect: effectOf(place.isTakenBack),
  invoice: place.invoiceId,
  invoice_number: place.invoiceNumber,
  line: place.line,
});

function unbilledAnswers({
  subscriptionId,
  period,
  reason,
  prices,
}: EventContribution["unbilled"][number]): z.infer<typeof placeSchema>[] {
  const place = {
    status: reason,
    subscription: subscriptionId,
    period_start: isoOf(period.start),
    period_end: isoOf(period.end),
    plan: null,
    price: null,
    revision: null,
    effect: null,
    invoice: null,
    invoice_number: null,
    line: null,
  };
  if (prices.length === 0) return [place];
  return prices.map(({ plan, price }) => ({ ...place, plan: plan.key, price: price.key }));
}

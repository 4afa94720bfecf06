import { z } from "zod";
import { eventsOf, ratedPeriodsReached, type StoredMeterBackfill } from "../../db/usage/meter-backfill.ts";
import { isoOf } from "../../domain/calendar/index.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { idInput, instantInput, instantText, isoOrNull, textInput } from "../wire.ts";

export const meterParams = z.strictObject({ key: textInput(64) });
export const backfillParams = meterParams.extend({ id: idInput });

export const backfillInput = z
  .strictObject({
    version: z.int().min(1).max(1_000_000).optional().describe("The newest one when left out."),
    from: instantInput.describe("The earliest time of events that are counted."),
    to: instantInput.optional().describe("Exclusive; all that there is when left out."),
    customer: idInput.optional().describe("Of this one alone; of all when left out."),
  })
  .refine(({ from, to }) => to === undefined || to > from, { error: "must be after from", path: ["to"] });

export const backfillSchema = z
  .object({
    id: z.string(),
    meter: z.string(),
    version: z.number().int(),
    from: instantText,
    to: instantText.nullable(),
    customer: z.string().nullable(),
    state: z
      .enum(["waiting", "running", "done", "canceled"])
      .describe("What a canceled one has counted stays counted."),
    events: z.object({
      done: z.number().int().describe("Stored events that were looked at."),
      total_estimate: z.number().int().describe("How many there are to look at: exact when they are few."),
      counted: z
        .number()
        .int()
        .describe(
          "That now count for this version. The others did before, were taken back, or do not pass its filter.",
        ),
      refused: z.number().int().describe("That this version cannot measure; they do not count for it."),
    }),
    rated_periods: z
      .number()
      .int()
      .describe(
        "Periods that were billed already and that this version measures. Where its meter is priced, what the backfill counts " +
          "there is rated like usage that came late: the difference goes on the next invoice.",
      ),
    requested_by: z.string(),
    requested_at: instantText,
    ended_by: z.string().nullable().describe("Who canceled it; `archive` when its events were archived."),
    ended_at: instantText.nullable(),
  })
  .meta({ id: "MeterBackfill" });

export const refusalSchema = z
  .object({
    source: z.string(),
    id: z.string().describe("Of the event."),
    time: instantText,
    code: z.string(),
    detail: z.string(),
    field: z.string().nullable(),
  })
  .meta({ id: "MeterBackfillRefusal" });

/** A backfill as it is answered, with how far it has come. */
export async function backfillAnswer(
  { orm }: ApiDependencies["db"],
  backfill: StoredMeterBackfill,
): Promise<z.infer<typeof backfillSchema>> {
  const { since, until, customerId, requestedBy, requestedAt, endedBy, endedAt } = backfill;
  const total = await eventsOf(orm, backfill);
  return {
    id: backfill.id,
    meter: backfill.key,
    version: backfill.version,
    from: isoOf(since),
    to: isoOrNull(until),
    customer: customerId,
    state: backfill.state,
    events: {
      done: Number(backfill.events),
      total_estimate: Number(total),
      counted: Number(backfill.contributions),
      refused: Number(backfill.refusals),
    },
    rated_periods: await ratedPeriodsReached(orm, backfill),
    requested_by: requestedBy,
    requested_at: isoOf(requestedAt),
    ended_by: endedBy,
    ended_at: isoOrNull(endedAt),
  };
}

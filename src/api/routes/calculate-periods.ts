import { z } from "zod";
import { calculatePeriods } from "../../domain/calculators/index.ts";
import { intervalUnits, isoOf, lengthMs } from "../../domain/calendar/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import { instantInput, instantText, timeZoneInput } from "../wire.ts";
import { calculator, requireSize } from "./calculate-wire.ts";

const countMax = 1_000;

export const intervalInput = z
  .strictObject({
    unit: z.enum([...intervalUnits, "quarter"]),
    count: z.int().min(1).max(366).default(1),
  })
  .transform(({ unit, count }) =>
    unit === "quarter" ? { unit: "month" as const, count: 3 * count } : { unit, count },
  );

const anchorRuleInput = z
  .discriminatedUnion("type", [
    z.strictObject({ type: z.literal("anniversary") }),
    z.strictObject({
      type: z.literal("calendar"),
      weekday: z.int().min(1).max(7).exactOptional().describe("1 is Monday."),
      day: z.int().min(1).max(31).exactOptional(),
      month: z.int().min(1).max(12).exactOptional(),
    }),
  ])
  .describe("`calendar`: at local midnight of a day; the first period is the part up to it.");

const question = z
  .strictObject({
    anchor: instantInput.describe(
      "Periods count from here; its clock time and day of the month are kept. By a calendar rule: where they begin.",
    ),
    rule: anchorRuleInput.default({ type: "anniversary" }),
    interval: intervalInput,
    time_zone: timeZoneInput.default("UTC").describe("Whose calendar it is."),
    from: instantInput.optional().describe("In the first period of the answer; the anchor when left out."),
    trial: z
      .strictObject({
        length: intervalInput,
        anchor: z
          .enum(["trial_end", "trial_start"])
          .default("trial_end")
          .describe("Whether the periods after it count from its end, or from its start."),
      })
      .optional()
      .describe("A first time from the anchor on that is not charged."),
    count: z.int().min(1).default(12).meta({ maximum: countMax }),
  })
  .meta({ id: "PeriodsQuestion" });

const answer = z
  .object({
    periods: z.array(
      z.object({
        index: z.int().describe("0 starts at the anchor; below zero before it."),
        start: instantText,
        end: instantText.describe("Belongs to the next period."),
        is_part: z.boolean().describe("Up to the first day of the calendar."),
        is_trial: z.boolean(),
        seconds: z.string().describe("How long it is: days may have 23 or 25 hours."),
      }),
    ),
  })
  .meta({ id: "PeriodsAnswer" });

export function calculatePeriodsRoute(api: ApiInstance): void {
  const options = calculator(question, answer, {
    summary: "The boundaries of billing periods",
    description:
      "Counted from the anchor each time, so that the 31st becomes the 28th and the 31st again, on the clock of the time zone.",
    refusals: ["instant_invalid", "duration_invalid", "anchor_rule_invalid"],
  });
  api.post("/v1/calculate/periods", options, async ({ body }) => {
    const { anchor: start, rule, interval, time_zone: timeZone, from = start, count, trial } = body;
    requireSize("count", count, countMax);
    const periods = calculatePeriods({
      ...{ start, rule, interval, timeZone, from, count },
      ...(trial === undefined ? {} : { trial }),
    });
    return {
      periods: periods.map(({ index, period, isPart, isTrial }) => ({
        index,
        start: isoOf(period.start),
        end: isoOf(period.end),
        is_part: isPart,
        is_trial: isTrial,
        seconds: String(lengthMs(period) / 1_000),
      })),
    };
  });
}
